package dockerfile

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/scaffold/draft"
)

func read(t *testing.T, files map[string]string) *draft.Draft {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		require.NoError(t, os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(content), 0o644))
	}
	d := draft.New(root, root, []string{"dev"})
	found, err := Find(root, filepath.Join(root, "slipway"))
	require.NoError(t, err)
	Read(d, found)
	return d
}

func TestEachDirectoryWithADockerfileIsAService(t *testing.T) {
	t.Parallel()
	d := read(t, map[string]string{
		"Dockerfile": "FROM golang AS build\nEXPOSE 1\nFROM scratch\nEXPOSE 3000 9090/tcp 53/udp\n" +
			"HEALTHCHECK CMD [\"/app\"]\n",
		"services/api/Dockerfile":        "FROM scratch\nEXPOSE $PORT\n",
		"legacy/api/web.Dockerfile":      "FROM scratch\nEXPOSE 80\n",
		"services/Mail_Out/Dockerfile":   "FROM scratch\nEXPOSE 25\n",
		"services/api/Dockerfile.dev":    "FROM scratch\n",
		"services/api/.git/x/Dockerfile": "", "node_modules/x/Dockerfile": "", "slipway/app/Dockerfile": "",
		"a/b/c/d/Dockerfile": "",
	})
	require.Empty(t, d.Mistakes)
	require.Equal(t, draft.Keys{"services": draft.Keys{
		"web":          draft.Keys{"image": "web", "port": 3000},
		"services-api": draft.Keys{"image": "services-api", "port": 8080},
		"legacy-api":   draft.Keys{"image": "legacy-api", "port": 80},
		"mail_out":     draft.Keys{"image": "mail_out", "port": 25},
	}}, d.Shared)
	require.Equal(t, draft.Keys{"context": "./legacy/api", "dockerfile": "./legacy/api/web.Dockerfile"},
		d.Builds["legacy-api"].(draft.Keys)["build"])
	require.Equal(t, draft.Keys{"context": "."}, d.Builds["web"].(draft.Keys)["build"])
	said := map[string]string{}
	for _, line := range d.Lines {
		said[line.Where+" "+line.What] = line.Key + line.Instead + line.Note
	}
	require.Equal(t, "services.web.port: 3000", said["Dockerfile:4 EXPOSE 3000"])
	require.Contains(t, said["Dockerfile:4 EXPOSE 9090/tcp"], "a service has one port")
	require.Contains(t, said["Dockerfile:4 EXPOSE 53/udp"], "one TCP port")
	require.Contains(t, said["Dockerfile:5 HEALTHCHECK"], "write services.web.healthCheck")
	require.Contains(t, said["services/api/Dockerfile:2 EXPOSE $PORT"], "write services.services-api.port")
	require.Contains(t, said["services/api/Dockerfile no EXPOSE"], "services.services-api.port: 8080 is a guess")
	require.Contains(t, said["services/api/Dockerfile.dev Dockerfile"], "dockerfile: ./services/api/Dockerfile.dev")
}

func TestWhichOfTwoDockerfilesIsMeantIsAsked(t *testing.T) {
	t.Parallel()
	d := read(t, map[string]string{"app/Dockerfile.a": "FROM scratch\n", "app/Dockerfile.b": "FROM scratch\n",
		"broken/Dockerfile": "FROM scratch\nCOPY <<E /x\n"})
	require.Len(t, d.Mistakes, 2)
	require.ErrorContains(t, d.Mistakes[0], "app: has Dockerfile.a and Dockerfile.b, and which one is the service's")
	require.ErrorContains(t, d.Mistakes[1], "broken/Dockerfile: ")
}
