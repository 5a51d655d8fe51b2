package pulumicli

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/stagetest"
)

// lockIn writes a lock as the CLI does.
func lockIn(t *testing.T, backend, host string, pid int) {
	t.Helper()
	name := filepath.Join(backend, ".pulumi/locks/organization/slipway/dev", "0af0.json")
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(t, os.WriteFile(name, fmt.Appendf(nil,
		`{"pid":%d,"username":"dana","hostname":%q,"timestamp":"2026-11-24T10:00:00.1+01:00"}`, pid, host), 0o644))
}

func TestAStackThatIsLockedIsRefused(t *testing.T) {
	project := stagetest.Project(t, "")
	backend := t.TempDir()
	t.Setenv("PULUMI_BACKEND_URL", "file://"+backend)
	require.NoError(t, CheckLock(t.Context(), project, "dev"))
	here, err := os.Hostname()
	require.NoError(t, err)

	lockIn(t, backend, here, os.Getpid())
	for _, stack := range []string{"dev", "organization/slipway/dev"} {
		err = CheckLock(t.Context(), project, stack)
		require.ErrorContains(t, err, "the last update of "+stack+" has not ended: dana@"+here+" (process ")
		require.ErrorContains(t, err, ": wait for it, or, if it was killed, run `pulumi cancel --stack "+stack+"`")
		require.ErrorAs(t, err, &exit.Finding{})
	}
	require.NoError(t, CheckLock(t.Context(), project, "release"), "another stack's")

	lockIn(t, backend, "elsewhere", os.Getpid())
	require.ErrorContains(t, CheckLock(t.Context(), project, "dev"), "dana@elsewhere")
	require.NotContains(t, CheckLock(t.Context(), project, "dev").Error(), "is gone", "nobody here knows")

	ended := exec.Command("true")
	require.NoError(t, ended.Run())
	lockIn(t, backend, here, ended.Process.Pid)
	require.ErrorContains(t, CheckLock(t.Context(), project, "dev"),
		"and that process is gone: run `pulumi cancel --stack dev`, then `slipway recover dev`")

	// As they stand in Pulumi.yaml, relative to the project; the environment goes before it.
	lockIn(t, filepath.Join(project.Directory, "state"), "elsewhere", 1)
	project.Backend.URL = "file://./state?metadata=skip"
	t.Setenv("PULUMI_BACKEND_URL", "")
	require.ErrorContains(t, CheckLock(t.Context(), project, "dev"), "dana@elsewhere")
	t.Setenv("PULUMI_BACKEND_URL", "https://api.pulumi.com")
	require.NoError(t, CheckLock(t.Context(), project, "dev"), "the history has it")
}

func TestABucketIsReadAsTheCLIReadsIt(t *testing.T) {
	const lock = `{"pid":1,"username":"ci","hostname":"runner","timestamp":"2026-11-24T10:00:00Z"}`
	refused := 1
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch scope := r.Header.Get("Authorization"); {
		case !strings.Contains(scope, "/eu-west-1/s3/aws4_request") && strings.HasPrefix(scope, "AWS4-HMAC-SHA256 "):
			w.Header().Set("X-Amz-Bucket-Region", "eu-west-1")
			w.WriteHeader(http.StatusMovedPermanently)
			fmt.Fprint(w, "<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>")
		case refused > 0:
			refused--
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.URL.Path == "/team/" && r.URL.Query().Get("prefix") == "state/.pulumi/locks/organization/slipway/dev/":
			if r.URL.Query().Get("continuation-token") == "" {
				fmt.Fprint(w, "<ListBucketResult><NextContinuationToken>a+b</NextContinuationToken></ListBucketResult>")
				return
			}
			fmt.Fprint(w, "<ListBucketResult><Contents><Key>state/.pulumi/locks/organization/slipway/dev/0af0.json</Key></Contents></ListBucketResult>")
		case r.URL.Path == "/team/state/.pulumi/locks/organization/slipway/dev/0af0.json":
			fmt.Fprint(w, lock)
		default:
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, "<Error><Code>AccessDenied</Code><Message>not you</Message></Error>")
		}
	}))
	t.Cleanup(server.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "a")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "b")
	address := "s3://team/state?region=us-east-1&use_path_style=true&disable_https=true&endpoint=" +
		strings.TrimPrefix(server.URL, "http://")
	t.Setenv("PULUMI_BACKEND_URL", address)
	project := stagetest.Project(t, "")
	require.ErrorContains(t, CheckLock(t.Context(), project, "dev"), "ci@runner (process 1) has locked the stack since ")
	err := CheckLock(t.Context(), project, "other")
	require.ErrorContains(t, err, "reading the backend s3://team: AccessDenied: not you")
	require.NotErrorIs(t, err, exit.Finding{}, "it could not tell")
}

func TestBucketsAreAddressedAsS3Does(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL_S3", "")
	for address, want := range map[string]string{
		"s3://team?region=eu-west-1":                                        "https://team.s3.eu-west-1.amazonaws.com/key",
		"s3://team?region=cn-north-1":                                       "https://team.s3.cn-north-1.amazonaws.com.cn/key",
		"s3://my.team?region=eu-west-1":                                     "https://s3.eu-west-1.amazonaws.com/my.team/key",
		"s3://team?endpoint=minio:9000&region=x":                            "https://team.minio:9000/key",
		"s3://team?endpoint=http://minio/s3&s3ForcePathStyle=true&region=x": "http://minio/s3/team/key",
	} {
		project := stagetest.Project(t, "")
		t.Setenv("PULUMI_BACKEND_URL", address)
		opened, err := OpenBackend(t.Context(), project, "dev")
		require.NoError(t, err)
		own := opened.Files.(*bucket)
		require.Equal(t, want, own.address(own.where(), "key", nil).String(), address)
	}
}

func TestAFileOfTheHistoryMayBeCompressed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, "x.json.gz"))
	require.NoError(t, err)
	packed := gzip.NewWriter(file)
	_, err = packed.Write([]byte(`{"startTime": 7}`))
	require.NoError(t, err)
	require.NoError(t, packed.Close())
	require.NoError(t, file.Close())
	var found struct{ StartTime int }
	files := &Backend{Files: Directory(dir)}
	require.NoError(t, files.readJSON(t.Context(), "x.json", &found))
	require.Equal(t, 7, found.StartTime)
	require.NoError(t, files.readJSON(t.Context(), "none.json", &found), "what is not there tells nothing")
}

func TestALockIsOfTheTimeInItsFile(t *testing.T) {
	t.Parallel()
	lock := &Lock{PID: 1, Username: "a", Hostname: "b", Timestamp: time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)}
	require.Contains(t, lock.Describe("dev"), "since "+lock.Timestamp.Local().Format("2006-01-02 15:04:05"))
}

func TestABucketInAnotherRegionIsReadByManyAtOnce(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/s3/") {
			w.Header().Set("X-Amz-Bucket-Region", "eu-west-1")
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		fmt.Fprint(w, r.URL.Path)
	}))
	t.Cleanup(server.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "a")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "b")
	t.Setenv("PULUMI_BACKEND_URL", "s3://team?region=us-east-1&use_path_style=true&endpoint="+server.URL)
	opened, err := OpenBackend(t.Context(), stagetest.Project(t, ""), "dev")
	require.NoError(t, err)
	var reading errgroup.Group
	for i := range 4 {
		reading.Go(func() error {
			content, err := opened.read(t.Context(), fmt.Sprint(i))
			if err == nil && string(content) != fmt.Sprintf("/team/%d", i) {
				err = errors.New(string(content))
			}
			return err
		})
	}
	require.NoError(t, reading.Wait())
}

func TestALockInABackendOfTheFormerLayoutIsFound(t *testing.T) {
	p, backend := stagetest.Project(t, ""), t.TempDir()
	t.Setenv("PULUMI_BACKEND_URL", "file://"+backend)
	write := func(name, content string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(backend, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(backend, name), []byte(content), 0o644))
	}
	write(".pulumi/locks/dev/0af0.json", `{"pid":1,"username":"dana","hostname":"elsewhere"}`)
	write(".pulumi/history/dev/dev-1.history.json", `{}`)
	for _, meta := range []string{"", "version: 0\n"} {
		if meta != "" {
			write(".pulumi/meta.yaml", meta)
		}
		require.ErrorContains(t, CheckLock(t.Context(), p, "dev"), "dana@elsewhere")
		files, err := OpenBackend(t.Context(), p, "dev")
		require.NoError(t, err)
		names, err := files.updates(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{"dev-1"}, names)
		require.Equal(t, ".pulumi/history/dev", files.History)
	}
	write(".pulumi/meta.yaml", "version: 1\n")
	require.NoError(t, CheckLock(t.Context(), p, "dev"), "a directory of another name")
}

func TestALockThatCannotBeReadIsSaidOnce(t *testing.T) {
	p := stagetest.Project(t, "")
	for address, want := range map[string]string{"gs://team/state": "in gs://team/state",
		"azblob://team?key=x": "in azblob://team", "https://api.pulumi.com": "",
		"file://" + t.TempDir(): ""} {
		t.Setenv("PULUMI_BACKEND_URL", address)
		backend, err := OpenBackend(t.Context(), p, "dev")
		require.NoError(t, err)
		note := backend.Unread()
		if want == "" {
			require.Empty(t, note)
			continue
		}
		require.Contains(t, note, "it is not known whether an update is under way: slipway does not read the locks "+want)
		require.NoError(t, CheckLock(t.Context(), p, "dev"))
	}
}

func TestOnlyAFileThatIsNotThereTellsNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "x.json"), 0o755)) // which cannot be read as a file
	var found struct{ StartTime int }
	require.ErrorContains(t, (&Backend{Files: Directory(dir)}).readJSON(t.Context(), "x.json", &found),
		"reading x.json: ")
}

func TestABucketTellsWhatItDoesNotHave(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch filepath.Base(r.URL.Path) {
		case "none":
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, "<Error><Code>NoSuchKey</Code></Error>")
		case "plain":
			w.WriteHeader(http.StatusNotFound)
		case "bucket":
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, "<Error><Code>NoSuchBucket</Code></Error>")
		default:
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	t.Cleanup(server.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "a")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "b")
	t.Setenv("PULUMI_BACKEND_URL", "s3://team?region=us-east-1&use_path_style=true&endpoint="+server.URL)
	opened, err := OpenBackend(t.Context(), stagetest.Project(t, ""), "dev")
	require.NoError(t, err)
	for key, missing := range map[string]bool{"none": true, "plain": true, "bucket": false, "denied": false} {
		_, err := opened.read(t.Context(), key)
		require.Equal(t, missing, errors.Is(err, fs.ErrNotExist), key)
		require.Error(t, err)
	}
}

func TestAnAddressThatCannotBeReadIsNotShown(t *testing.T) {
	project := stagetest.Project(t, "")
	for _, address := range []string{"postgres://dana:hunter2#@db:5432/pulumi", "postgres://dana:hunt%er2@db/pulumi"} {
		t.Setenv("PULUMI_BACKEND_URL", address)
		err := CheckLock(t.Context(), project, "dev")
		require.ErrorContains(t, err, "correct PULUMI_BACKEND_URL")
		require.NotContains(t, err.Error(), "hunt")
	}
}
