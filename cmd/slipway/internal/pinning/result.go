package pinning

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Result is what pin did, as --json prints it.
type Result struct {
	Stage  string  `json:"stage"`
	Images []Image `json:"images"` // those that were looked up
}

// Image is a reference that was looked up.
type Image struct {
	Key     string `json:"key"`  // such as images.web.ref
	File    string `json:"file"` // its path
	Old     string `json:"old"`
	New     string `json:"new"`
	Changed bool   `json:"changed"`
}

// Print shows what each reference was and is.
func (r *Result) Print(w io.Writer) {
	if len(r.Images) == 0 {
		fmt.Fprintf(w, "every image of %s has a digest\n", r.Stage)
	}
	for _, image := range r.Images {
		if image.Changed {
			fmt.Fprintf(w, "%s (%s)\n  - %s\n  + %s\n", image.Key, filepath.Base(image.File), image.Old, image.New)
		} else {
			fmt.Fprintf(w, "%s (%s)\n  = %s\n", image.Key, filepath.Base(image.File), image.Old)
		}
	}
}

// Next is what is left to do; nothing where nothing changed.
func (r *Result) Next() string {
	var files []string
	working, _ := os.Getwd()
	for _, image := range r.Images {
		shown := image.File
		if relative, err := filepath.Rel(working, image.File); err == nil {
			shown = relative
		}
		if strings.ContainsRune(shown, ' ') {
			shown = "'" + shown + "'"
		}
		if image.Changed && !slices.Contains(files, shown) {
			files = append(files, shown)
		}
	}
	if files == nil {
		return ""
	}
	return fmt.Sprintf("Next: git commit -m \"Pin images of %s\" %s\n      pulumi up --stack %s", r.Stage,
		strings.Join(files, " "), r.Stage)
}
