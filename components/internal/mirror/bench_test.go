package mirror

import (
	"archive/tar"
	"bufio"
	"fmt"
	"io"
	"log"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	memory "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/stream"
	"github.com/stretchr/testify/require"
)

// registryIn is the variable with the directory of a registry that the binary of the tests is to be, in a process of
// its own: what the registry takes is none of what the copy takes.
const registryIn = "MIRROR_TEST_REGISTRY"

func TestMain(m *testing.M) {
	if directory := os.Getenv(registryIn); directory != "" {
		serveDirectory(directory)
		return
	}
	os.Exit(m.Run())
}

// serveDirectory is a registry with its layers on disk, until the standard input ends.
func serveDirectory(directory string) {
	inner := memory.New(memory.Logger(log.New(io.Discard, "", 0)),
		memory.WithBlobHandler(memory.NewDiskBlobHandler(directory)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, digest, isLayer := strings.Cut(r.URL.Path, "/blobs/sha256:")
		if isLayer && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			// The other one would read a layer into memory, and hash it for each HEAD.
			w.Header().Set("Docker-Content-Digest", "sha256:"+digest)
			http.ServeFile(w, r, filepath.Join(directory, "sha256", digest))
			return
		}
		inner.ServeHTTP(w, r)
	}))
	fmt.Println(strings.TrimPrefix(server.URL, "http://"))
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// startRegistry starts a registry that has nothing yet, until it is stopped.
func startRegistry(b *testing.B) (registry *served, stop func()) {
	b.Helper()
	directory, err := os.MkdirTemp(b.TempDir(), "registry")
	require.NoError(b, err)
	process := exec.Command(os.Args[0])
	process.Env = append(os.Environ(), registryIn+"="+directory)
	stdin, err := process.StdinPipe()
	require.NoError(b, err)
	stdout, err := process.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, process.Start())
	host, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(b, err)
	return &served{host: strings.TrimSpace(host)}, func() {
		_ = stdin.Close()
		require.NoError(b, process.Wait())
		require.NoError(b, os.RemoveAll(directory))
	}
}

// largeImage has layers of so many bytes each, which nothing makes smaller.
func largeImage(b *testing.B, layers int, size int64) v1.Image {
	b.Helper()
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: "amd64",
		RootFS: v1.RootFS{Type: "layers"}})
	require.NoError(b, err)
	random := rand.New(rand.NewSource(1))
	for i := range layers {
		reader, writer := io.Pipe()
		content := rand.New(rand.NewSource(random.Int63()))
		go func() {
			files := tar.NewWriter(writer)
			err := files.WriteHeader(&tar.Header{Name: fmt.Sprint("file", i), Size: size, Mode: 0o644})
			if err == nil {
				_, err = io.CopyN(files, content, size)
			}
			if err == nil {
				err = files.Close()
			}
			writer.CloseWithError(err)
		}()
		image, err = mutate.AppendLayers(image, stream.NewLayer(reader))
		require.NoError(b, err)
	}
	return image
}

func docker(b *testing.B, args ...string) {
	b.Helper()
	output, err := exec.Command("docker", args...).CombinedOutput()
	require.NoError(b, err, "docker %s: %s", args, output)
}

// BenchmarkCopyOfALargeImage measures the copy of an image of 500 MB in ten layers from one registry to another against
// `docker pull` and `docker push` of it, alternating: docs/performance.md has the figures.
func BenchmarkCopyOfALargeImage(b *testing.B) {
	if output, err := exec.Command("docker", "version").CombinedOutput(); err != nil {
		lines := strings.Split(strings.TrimSpace(string(output)), "\n")
		b.Skipf("no Docker engine to compare with: %s %s", lines[len(lines)-1], err)
	}
	from, stop := startRegistry(b)
	defer stop()
	image := largeImage(b, 10, 50_000_000)
	require.NoError(b, remote.Write(from.reference(b, "team/web:one"), image))
	digest, err := image.Digest()
	require.NoError(b, err)
	source := from.host + "/team/web@" + digest.String()

	for b.Loop() {
		const rounds = 3
		var ours, dockers time.Duration
		for range rounds {
			to, stop := startRegistry(b)
			c := copyOf(b, from, to, digest.String())
			began := time.Now()
			require.NoError(b, prepare(b, c))
			require.NoError(b, c.Run(b.Context(), quiet))
			ours += time.Since(began)
			stop()

			to, stop = startRegistry(b)
			target := to.host + "/shop-release/web:one"
			b.Cleanup(func() { _ = exec.Command("docker", "rmi", source, target).Run() }) // where the test has failed before
			began = time.Now()
			docker(b, "pull", "--quiet", source)
			docker(b, "tag", source, target)
			docker(b, "push", "--quiet", target)
			dockers += time.Since(began)
			docker(b, "rmi", source, target)
			stop()
		}
		b.ReportMetric(ours.Seconds()/dockers.Seconds(), "times-docker")
		b.ReportMetric(ours.Seconds()/rounds, "s/copy")
		b.ReportMetric(dockers.Seconds()/rounds, "s/docker")
		var usage syscall.Rusage
		require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
		b.ReportMetric(float64(usage.Maxrss)/1024, "MiB-peak")
	}
}
