// Command program is what the containers of the agent's tests run: its arguments are small commands, done one after the
// other.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	for _, argument := range os.Args[1:] {
		command, value, _ := strings.Cut(argument, "=")
		switch command {
		case "print":
			fmt.Println(value)
		case "count": // prints numbers, one every 20 ms
			for i := range number(value) {
				fmt.Println("line", i)
				time.Sleep(20 * time.Millisecond)
			}
		case "flood": // prints numbers as fast as it can
			for i := range number(value) {
				fmt.Println("line", i)
			}
		case "long":
			fmt.Println(strings.Repeat("x", number(value)))
		case "rest": // without a newline
			fmt.Print(value)
		case "env":
			fmt.Println(os.Getenv(value))
		case "write":
			file, text, _ := strings.Cut(value, ":")
			check(os.WriteFile(file, []byte(text), 0o644))
		case "read":
			content, err := os.ReadFile(value)
			check(err)
			fmt.Println(string(content))
		case "get":
			response, err := http.Get(os.ExpandEnv(value))
			check(err)
			content, err := io.ReadAll(response.Body)
			check(err)
			fmt.Println(string(content))
		case "wait":
			time.Sleep(time.Duration(number(value)) * time.Millisecond)
		case "serve": // answers /status/CODE with that status, and /wait/MILLISECONDS after that time
			http.HandleFunc("/status/", func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(number(strings.TrimPrefix(r.URL.Path, "/status/")))
			})
			http.HandleFunc("/wait/", func(_ http.ResponseWriter, r *http.Request) {
				time.Sleep(time.Duration(number(strings.TrimPrefix(r.URL.Path, "/wait/"))) * time.Millisecond)
			})
			check(http.ListenAndServe(value, nil))
		case "until-term":
			terminated := make(chan os.Signal, 1)
			signal.Notify(terminated, syscall.SIGTERM)
			fmt.Println("ready")
			<-terminated
			fmt.Println("terminated")
		case "ignore-term":
			signal.Ignore(syscall.SIGTERM)
			fmt.Println("ready")
			time.Sleep(time.Hour)
		case "allocate": // MiB
			held := make([]byte, number(value)<<20)
			for i := range held {
				held[i] = 1
			}
		case "exit":
			os.Exit(number(value))
		default:
			check(fmt.Errorf("unknown command %q", argument))
		}
	}
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	check(err)
	return n
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(99)
	}
}
