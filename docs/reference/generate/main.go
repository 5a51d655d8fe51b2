// Generate writes docs/configuration.md and docs/stage.schema.json from the code of stage/. It runs in the
// project's directory, as `make docs` runs it.
package main

import (
	"fmt"
	"os"

	"slipway/docs/reference"
	"slipway/stage"
)

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func write() error {
	files, err := reference.Files(".", stage.Namespace, stage.Document())
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
