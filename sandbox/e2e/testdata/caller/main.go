// Command caller is a client in a container: it prints what an address answers, once, or with a second argument again
// and again.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

func main() {
	err := call(os.Args[1])
	for len(os.Args) > 2 {
		time.Sleep(200 * time.Millisecond)
		err = call(os.Args[1])
	}
	if err != nil {
		os.Exit(1)
	}
}

func call(address string) error {
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(address)
	if err != nil {
		fmt.Println(err)
		return err
	}
	body, err := io.ReadAll(response.Body)
	fmt.Println(response.Status, string(body))
	return err
}
