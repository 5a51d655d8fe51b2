package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The figures of docs/performance.md. Machines differ and are noisy, so each figure is a ratio of two measurements that
// alternate within one run; the times beside it say what this machine took.

const rounds = 5

// floorProgram declares a number of plain resources and nothing else: what no program with as many can be faster than.
const floorProgram = `package main

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		for i := range %d {
			name := fmt.Sprint("group", i)
			if _, err := cloudwatch.NewLogGroup(ctx, name, &cloudwatch.LogGroupArgs{Name: pulumi.String(name)}); err != nil {
				return err
			}
		}
		return nil
	})
}
`

// floorProject is a project whose program declares that many resources.
func floorProject(b *testing.B, resources int) *project {
	b.Helper()
	return benchProject(b, func(p *project) {
		p.git("rm", "-rqf", "main.go", "components", "stage", "cmd", "app")
		p.write("main.go", fmt.Sprintf(floorProgram, resources))
		require.NoError(p.TB, os.RemoveAll(filepath.Join(p.dir, ".bin")))
		p.write("Pulumi.yaml", "name: floor\nruntime:\n  name: go\n  options:\n    buildTarget: .bin/program\n")
		p.write("Pulumi.dev.yaml", "config:\n  aws:region: ap-northeast-2\n")
		p.ok("pulumi", "stack", "init", "dev") // of this project
	})
}

// benchProject is a project for a benchmark, with its stage up.
func benchProject(b *testing.B, change func(p *project)) *project {
	b.Helper()
	p := newProjectIn(b, b.TempDir())
	p.replace("Pulumi.yaml", prebuilt, compiled) // as users have it
	if change != nil {
		change(p)
	}
	p.up("dev")
	timedPreview(p) // whatever is done only once
	return p
}

func timedPreview(p *project) time.Duration {
	p.Helper()
	r := p.preview("dev")
	require.Zero(p, r.status, r.output)
	return r.took
}

func BenchmarkPreviewAgainstTheEnginesFloor(b *testing.B) {
	p := benchProject(b, nil)
	floor := floorProject(b, 1)
	for b.Loop() {
		var slipway, engine time.Duration
		for range rounds {
			slipway += timedPreview(p)
			engine += timedPreview(floor)
		}
		b.ReportMetric(slipway.Seconds()/engine.Seconds(), "times-floor")
		b.ReportMetric(slipway.Seconds()/rounds, "s/preview")
		b.ReportMetric(engine.Seconds()/rounds, "s/floor")
	}
	// What a preview runs: go says which tools it starts, and the linker is not among them.
	build := exec.Command("go", "build", "-x", "-buildvcs=false", "-trimpath", "-ldflags=-s -w", "-o", ".bin/program", ".")
	build.Dir = p.dir
	steps, err := build.CombinedOutput()
	require.NoError(b, err, string(steps))
	require.NotContains(b, string(steps), "/link ", "an unchanged program is not linked again")
}

func BenchmarkUpOfOneChangedVariable(b *testing.B) {
	p := benchProject(b, nil)
	for b.Loop() {
		var up, preview time.Duration
		for i := range rounds {
			preview += timedPreview(p)
			p.write("Pulumi.dev.yaml", strings.Replace(p.git("show", "HEAD:Pulumi.dev.yaml"), "hello from dev",
				fmt.Sprint("hello ", i), 1))
			u := p.run(upArgs("dev")...) // with its preview
			require.Zero(p, u.status, u.output)
			up += u.took
		}
		b.ReportMetric(up.Seconds()/preview.Seconds(), "times-preview")
		b.ReportMetric(up.Seconds()/rounds, "s/up")
	}
}

func BenchmarkPreviewOfManyServices(b *testing.B) {
	sizes := []int{1, 10, 100}
	projects := map[int]*project{}
	for _, size := range sizes {
		projects[size] = benchProject(b, func(p *project) {
			var services strings.Builder
			for i := range size {
				fmt.Fprintf(&services, "    s%03d: {image: web, port: 8080, environment: {NUMBER: \"%d\"}}\n", i, i)
			}
			defaults, _, _ := strings.Cut(p.read("Pulumi.yaml"), "config:")
			p.write("Pulumi.yaml", defaults)
			stage, _, _ := strings.Cut(p.read("Pulumi.dev.yaml"), "  slipway:services:")
			p.write("Pulumi.dev.yaml", stage+"  slipway:services:\n"+services.String())
		})
	}
	floor := floorProject(b, len(projects[sizes[len(sizes)-1]].state("dev").Resources))
	for b.Loop() {
		took, memory := map[int]time.Duration{}, map[int]int64{}
		var plain time.Duration
		for range 3 {
			plain += timedPreview(floor)
			for _, size := range sizes {
				r := projects[size].preview("dev")
				require.Zero(b, r.status, r.output)
				took[size] += r.took
				memory[size] = max(memory[size], r.memory)
			}
		}
		b.ReportMetric(took[sizes[len(sizes)-1]].Seconds()/plain.Seconds(), "times-floor/100-services")
		for _, size := range sizes[1:] {
			b.ReportMetric(took[size].Seconds()/took[1].Seconds(), fmt.Sprintf("times-one/%d-services", size))
		}
		for _, size := range sizes {
			b.ReportMetric(float64(memory[size])/1024, fmt.Sprintf("MiB/%d-services", size))
		}
	}
}

// bareProgram imports the packages of the providers that no program of this kind does without.
const bareProgram = `package main

import (
	_ "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	_ "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	_ "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	_ "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	_ "github.com/pulumi/pulumi-docker/sdk/v4/go/docker"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() { pulumi.Run(func(*pulumi.Context) error { return nil }) }
`

// BenchmarkColdBuild compiles the program, and one that only imports the providers' packages, each with an empty cache.
func BenchmarkColdBuild(b *testing.B) {
	bare := b.TempDir()
	require.NoError(b, os.WriteFile(filepath.Join(bare, "main.go"), []byte(bareProgram), 0o600))
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(b, err)
		require.NoError(b, os.WriteFile(filepath.Join(bare, name), content, 0o600))
	}
	for b.Loop() {
		floor, _ := coldBuild(b, bare)
		processor, peak := coldBuild(b, root)
		b.ReportMetric(processor/floor, "times-bare")
		b.ReportMetric(processor, "CPU-s")
		b.ReportMetric(peak, "MiB-peak")
	}
}

// coldBuild is what compiling the program of a directory takes, in seconds of processor time, and the MiB of the
// largest process.
func coldBuild(b *testing.B, directory string) (processor, peak float64) {
	b.Helper()
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o",
		filepath.Join(b.TempDir(), "program"), ".")
	build.Dir = directory
	build.Env = append(os.Environ(), "GOCACHE="+b.TempDir())
	output, err := build.CombinedOutput()
	require.NoError(b, err, string(output))
	usage := build.ProcessState.SysUsage().(*syscall.Rusage)
	return (build.ProcessState.UserTime() + build.ProcessState.SystemTime()).Seconds(), float64(usage.Maxrss) / 1024
}

// BenchmarkStatusAndRollbackOfALongHistory has 10 and 300 updates behind it: all but the last are copies of the files
// that the backend keeps of one.
func BenchmarkStatusAndRollbackOfALongHistory(b *testing.B) {
	sizes := []int{10, 300}
	projects := map[int]*project{}
	for _, size := range sizes {
		p := benchProject(b, nil)
		p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
		p.commit("Greet again")
		p.up("dev")
		repeatHistory(p, "dev", size)
		projects[size] = p
	}
	for b.Loop() {
		for _, size := range sizes {
			p := projects[size]
			var status, rollback, history time.Duration
			for range 3 {
				history += p.ok("pulumi", "stack", "history", "--stack", "dev", "--json").took
				status += p.ok("slipway", "status", "dev").took
				rollback += p.ok("slipway", "rollback", "dev").took
				p.git("reset", "-q", "--hard", "HEAD^")
			}
			b.ReportMetric(status.Seconds()/history.Seconds(), fmt.Sprintf("times-history/status-%d", size))
			b.ReportMetric(rollback.Seconds()/history.Seconds(), fmt.Sprintf("times-history/rollback-%d", size))
			b.ReportMetric(history.Seconds()/3, fmt.Sprintf("s/history-%d", size))
		}
	}
}

// repeatHistory puts copies of a stage's first update before it until there are so many.
func repeatHistory(p *project, stage string, size int) {
	p.Helper()
	found, err := filepath.Glob(filepath.Join(p.aws.dir, "*", ".pulumi/history/slipway", stage, stage+"-*.history.json"))
	require.NoError(p.TB, err)
	require.Len(p.TB, found, 2)
	first := strings.TrimSuffix(found[0], ".history.json")
	var at int64
	_, err = fmt.Sscanf(filepath.Base(first), stage+"-%d", &at)
	require.NoError(p.TB, err)
	for i := range size - len(found) {
		earlier := filepath.Join(filepath.Dir(first), fmt.Sprintf("%s-%d", stage, at-int64(i+1)*int64(time.Minute)))
		for _, ending := range []string{".history.json", ".checkpoint.json"} {
			copyFile(p.TB, first+ending, earlier+ending)
		}
	}
}
