// Package engine passes messages to the Pulumi engine, which shows them to the user: what an attached server
// writes to its own standard output would be lost.
package engine

import (
	"context"
	"fmt"
	"strings"
	"sync"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// Log talks to the engine that attached last. One `pulumi up` attaches twice, for its preview and for its update. A
// message that no engine takes is dropped: the engine may be gone already. The zero value is ready to use.
type Log struct {
	mutex      sync.Mutex
	address    string
	connection *grpc.ClientConn
}

// Attach directs what follows to the engine at this address.
func (l *Log) Attach(address string) error {
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("reaching the engine at %s: %w", address, err)
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.connection != nil {
		_ = l.connection.Close() // of an engine that is done
	}
	l.address, l.connection = address, connection
	return nil
}

// Address is that of the engine that attached last.
func (l *Log) Address() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.address
}

// Warn shows a warning, on the resource with this URN or on the stack where it is "".
func (l *Log) Warn(urn, format string, args ...any) {
	l.send(&pulumirpc.LogRequest{Severity: pulumirpc.LogSeverity_WARNING, Urn: urn, Message: fmt.Sprintf(format, args...)})
}

// Status shows what is under way until the next message.
func (l *Log) Status(urn, format string, args ...any) {
	message := strings.TrimSpace(fmt.Sprintf(format, args...))
	l.send(&pulumirpc.LogRequest{Severity: pulumirpc.LogSeverity_INFO, Urn: urn, Message: message, Ephemeral: true})
}

// Print shows a program's output as it is. Pieces of one stream (any number but 0) belong together.
func (l *Log) Print(stream int32, text string) {
	l.send(&pulumirpc.LogRequest{Severity: pulumirpc.LogSeverity_INFO, Message: text, StreamId: stream})
}

func (l *Log) send(message *pulumirpc.LogRequest) {
	l.mutex.Lock()
	connection := l.connection
	l.mutex.Unlock()
	if connection != nil {
		_, _ = pulumirpc.NewEngineClient(connection).Log(context.Background(), message)
	}
}
