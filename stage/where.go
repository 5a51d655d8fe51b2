package stage

// Where names a key of the stage and the file it stands in, as the stage's own errors do:
// Where("services", "web", "revision") is "services.web.revision (Pulumi.dev.yaml)".
func (s *Stage) Where(keys ...any) string {
	root := &node{file: FileName(s.Name)}
	if s.written != nil { // loaded from a file
		root = s.written().root
	}
	at := root.place().at(keys...)
	return at.path + " (" + at.file + ")"
}

// Path is a key as the stage's own errors spell it: images["web.api"].build.context. An int is an index into a list.
func Path(keys ...any) string {
	path := ""
	for _, key := range keys {
		path += step(path, key)
	}
	return path
}

// Below is the path of a key that stands below another one's path.
func Below(path, key string) string { return path + step(path, key) }
