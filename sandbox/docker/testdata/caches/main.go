// Command caches counts the files of a directory, such as a build's cache, and adds one.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	files, err := os.ReadDir(os.Args[1])
	fail(err)
	greeting, err := os.ReadFile(os.Args[2])
	fail(err)
	fmt.Printf("%s: %d files\n", greeting, len(files))
	fail(os.WriteFile(filepath.Join(os.Args[1], fmt.Sprint(len(files))), nil, 0o644))
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
