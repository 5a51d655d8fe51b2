// Command caller is a client in a container: it prints what an address answers.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

func main() {
	client := &http.Client{Timeout: 10 * time.Second}
	response, err := client.Get(os.Args[1])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	body, err := io.ReadAll(response.Body)
	fmt.Println(response.Status, string(body))
	if err != nil {
		os.Exit(1)
	}
}
