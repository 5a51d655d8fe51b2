package stage

import (
	"slipway/internal/pulumiconfig"
)

// Where names a key of the stage and the file it stands in, as the stage's own errors do:
// Where("services", "web", "revision") is "services.web.revision (Pulumi.dev.yaml)".
func (s *Stage) Where(keys ...any) string {
	root := &node{file: pulumiconfig.FileName(s.Name)}
	if s.written != nil { // loaded from a file
		root = s.written().root
	}
	at := root.place().at(keys...)
	return at.path + " (" + at.file + ")"
}
