package docker

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAPreviewSaysWhatCannotBePacked(t *testing.T) {
	t.Parallel()
	b := buildIn(t, "FROM scratch\nCOPY a /\nRUN --mount=type=cache,target=/c [\"/a\"]\n", map[string]string{"a": ""})
	err := b.tryOut(t.Context())
	require.ErrorContains(t, err, "ctx/Dockerfile, line 3: RUN --mount=type=cache")
	require.ErrorContains(t, err, "unset SANDBOX_DOCKER, and start Docker")
	require.NoError(t, buildIn(t, "FROM scratch\nCOPY a /\n", map[string]string{"a": ""}).tryOut(t.Context()))
}

func TestTheEngineReadsTheDockerfileInAPreview(t *testing.T) {
	t.Parallel()
	docker := engineOf(t)
	for name, test := range map[string]struct{ dockerfile, refusal string }{
		"what it knows": {"FROM nosuch/image:1 AS x\nRUN --mount=type=cache,target=/c x\nCOPY --chmod=755 nosuch /\n", ""},
		"what it does not know": {"FROM scratch\nCOPY --nosuch a \\\n  /\n",
			`^ctx/Dockerfile, line 2: COPY --nosuch a +/: (?i)unknown flag: nosuch`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := buildIn(t, test.dockerfile, nil).tryFrontend(t.Context(), docker)
			if test.refusal == "" {
				require.NoError(t, err)
			} else {
				require.Error(t, err)
				require.Regexp(t, test.refusal, err.Error())
			}
		})
	}
}

func TestWhatAnEngineCannotReadIsExplained(t *testing.T) {
	t.Parallel()
	const old, recent = "failed to solve with frontend dockerfile.v0: failed to create LLB definition: dockerfile parse " +
		"error line ", "dockerfile parse error on line "
	const heredoc = "FROM scratch\n\nRUN <<EOF\necho hi\nEOF\n"
	b := &build{dockerfileInput: "app/Dockerfile"}
	for name, test := range map[string]struct{ dockerfile, message, want string }{
		"a heredoc": {heredoc, old + "4: unknown instruction: ECHO",
			`app/Dockerfile, line 3: RUN <<EOF is newer than Docker 20.10.24, which says of line 4: unknown instruction: ` +
				`ECHO. Use a newer Docker, or begin the Dockerfile with "# syntax=docker/dockerfile:1", which the engine then ` +
				`pulls from Docker Hub`},
		"a flag": {"FROM scratch\nCOPY --link a /\n", recent + "2: unknown flag: link",
			`app/Dockerfile, line 2: COPY --link a / is newer than Docker 20.10.24, which says of line 2: unknown flag: ` +
				`link. Use a newer Docker, or begin the Dockerfile with "# syntax=docker/dockerfile:1", which the engine then ` +
				`pulls from Docker Hub`},
		"what no Docker knows": {"FROM scratch\nCOPY --lnk a /\n", recent + "2: unknown flag: lnk (did you mean link?)",
			"app/Dockerfile, line 2: COPY --lnk a /: unknown flag: lnk (did you mean link?)"},
		"what another frontend says": {"# syntax=docker/dockerfile:1.2\n" + heredoc, old + "5: unknown instruction: ECHO",
			"app/Dockerfile, line 4: RUN <<EOF: unknown instruction: ECHO"},
		"a frontend that is not there": {"# syntax=docker/dockerfile:1\nFROM scratch\n",
			"failed to solve: no such host",
			"app/Dockerfile, line 1: Docker 20.10.24 does not get the frontend docker/dockerfile:1: failed to solve: no " +
				"such host. Let the engine reach its registry, or remove the line if the engine reads the Dockerfile without"},
		"what has no line": {"FROM scratch\n", "no space left on device", "app/Dockerfile: no space left on device"},
		"what our parser does not read": {"FROM scratch\nRUN <<EOF\n", recent + "2: no",
			"app/Dockerfile, line 2: no"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.EqualError(t, b.explain([]byte(test.dockerfile), "Docker 20.10.24", test.message), test.want)
		})
	}
}
