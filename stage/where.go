package stage

// Where names a key of the stage and the file it stands in, as the stage's own errors do:
// Where("services", "web", "revision") is "services.web.revision (Pulumi.dev.yaml)".
func (s *Stage) Where(keys ...any) string {
	at := s.written.at(keys...)
	return at.path + " (" + at.file + ")"
}
