// Package language is the Pulumi language host for Go programs: it builds and runs them as the official
// pulumi-language-go does (https://www.pulumi.com/docs/iac/languages-sdks/go/).
package language

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"golang.org/x/mod/modfile"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"slipway/sandbox/engine"
)

// Host runs the programs of one command.
type Host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	log engine.Log

	mutex       sync.Mutex
	environment []string
	directory   string
	runs        map[*context.CancelFunc]bool
}

// NewHost makes a host. Its programs run in directory until the engine names another.
func NewHost(directory string) *Host {
	return &Host{directory: directory, environment: os.Environ(), runs: map[*context.CancelFunc]bool{}}
}

// Serve answers on a port of 127.0.0.1 until stop is called.
func (h *Host) Serve() (port int, stop func(), err error) {
	cancel := make(chan bool)
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: cancel,
		Init: func(s *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(s, h)
			return nil
		},
	})
	if err != nil {
		return 0, nil, fmt.Errorf("serving the Go language host: %w", err)
	}
	return handle.Port, func() { close(cancel); <-handle.Done }, nil
}

// SetEnvironment gives the programs their environment (KEY=value): that of the command, which the host's own process
// does not have.
func (h *Host) SetEnvironment(environment []string) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.environment = slices.Clone(environment)
}

// Directory is where the program runs that was started last: what its relative paths are relative to.
func (h *Host) Directory() string {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.directory
}

// Handshake tells where the engine listens. An engine that attaches to a running host sends it nowhere else.
func (h *Host) Handshake(
	_ context.Context, req *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	return &pulumirpc.LanguageHandshakeResponse{}, h.log.Attach(req.GetEngineAddress())
}

// GetPluginInfo answers an engine that wants to know which host this is.
func (h *Host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{}, nil
}

// GetRequiredPackages names none: the program itself asks for its providers' versions, and they are attached.
func (h *Host) GetRequiredPackages(
	context.Context, *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	return &pulumirpc.GetRequiredPackagesResponse{}, nil
}

// About is for `pulumi about`.
func (h *Host) About(context.Context, *pulumirpc.AboutRequest) (*pulumirpc.AboutResponse, error) {
	return &pulumirpc.AboutResponse{Executable: "go", Version: runtime.Version()}, nil
}

// GetProgramDependencies is for `pulumi about`: what go.mod requires.
func (h *Host) GetProgramDependencies(
	_ context.Context, req *pulumirpc.GetProgramDependenciesRequest,
) (*pulumirpc.GetProgramDependenciesResponse, error) {
	name := filepath.Join(req.GetInfo().GetProgramDirectory(), "go.mod")
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	module, err := modfile.Parse(name, content, nil)
	if err != nil {
		return nil, err
	}
	response := &pulumirpc.GetProgramDependenciesResponse{}
	for _, required := range module.Require {
		if !required.Indirect || req.GetTransitiveDependencies() {
			response.Dependencies = append(response.Dependencies,
				&pulumirpc.DependencyInfo{Name: required.Mod.Path, Version: required.Mod.Version})
		}
	}
	return response, nil
}

// GenerateProgram is for `pulumi import`, which shows code for what it has imported. Go code needs the types of the
// whole schema, which the sandbox does not have: it shows what the official host writes Go from, in Pulumi's own
// notation.
func (h *Host) GenerateProgram(
	_ context.Context, req *pulumirpc.GenerateProgramRequest,
) (*pulumirpc.GenerateProgramResponse, error) {
	var code strings.Builder
	code.WriteString("// The sandbox writes no Go code. These are the resources in Pulumi's own notation (PCL):\n")
	for _, name := range slices.Sorted(maps.Keys(req.GetSource())) {
		for line := range strings.Lines(req.GetSource()[name]) {
			code.WriteString("// " + line)
		}
	}
	return &pulumirpc.GenerateProgramResponse{Source: map[string][]byte{"main.go": []byte(code.String())}}, nil
}

// Run builds the program, where it is not built already, and runs it to its end.
func (h *Host) Run(ctx context.Context, req *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	ctx, done := h.begin(ctx, req.GetPwd())
	defer done()
	p, err := newProgram(req)
	if err != nil {
		return nil, err
	}
	h.mutex.Lock()
	environment := append(slices.Clone(h.environment), p.environment(h.log.Address())...)
	h.mutex.Unlock()
	status, err := p.run(ctx, environment, &h.log)
	switch {
	case err != nil:
		return nil, err
	case status == loggedError:
		return &pulumirpc.RunResponse{Bail: true}, nil
	case status != 0:
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("program exited with non-zero exit code: %d", status)}, nil
	}
	return &pulumirpc.RunResponse{}, nil
}

// Cancel interrupts the programs that run now, and no later one: the engine sends it between a preview and its update,
// too.
func (h *Host) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	for cancel := range h.runs {
		(*cancel)()
	}
	return &emptypb.Empty{}, nil
}

var errInterrupted = errors.New("the program was interrupted")

func (h *Host) begin(ctx context.Context, directory string) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.directory = directory
	h.runs[&cancel] = true
	return ctx, func() {
		cancel()
		h.mutex.Lock()
		defer h.mutex.Unlock()
		delete(h.runs, &cancel)
	}
}
