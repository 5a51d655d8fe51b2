// Command keeper is a container that keeps files: with two arguments it writes the text of the second one to the file
// of the first, with one it prints that file.
package main

import (
	"fmt"
	"os"
)

func main() {
	file, err := os.Args[1], error(nil)
	if len(os.Args) > 2 {
		err = os.WriteFile(file, []byte(os.Args[2]), 0o644)
	} else {
		var content []byte
		content, err = os.ReadFile(file)
		fmt.Println(string(content))
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
