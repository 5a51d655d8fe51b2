package language

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"github.com/pulumi/pulumi/sdk/v3/go/common/constant"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"slipway/sandbox/engine"
	"slipway/sandbox/process"
)

// loggedError is the exit status of a program whose error the engine has been told already.
const loggedError = constant.ExitStatusLoggedError

// interruptTime is how long an interrupted program may take to end before it is killed.
const interruptTime = 5 * time.Second

// program is one run of a Go program.
type program struct {
	*pulumirpc.RunRequest
	source string // the directory of its main package
	// binary is the executable that `runtime.options` of Pulumi.yaml names: built before where it is `binary`, built
	// here where it is `buildTarget`, and built for this run only where it is neither.
	binary string
	built  bool // whether binary was built before
}

func newProgram(req *pulumirpc.RunRequest) (*program, error) {
	p := &program{RunRequest: req, source: req.GetInfo().GetProgramDirectory()}
	for key, value := range req.GetInfo().GetOptions().AsMap() {
		path, isText := value.(string)
		if key != "binary" && key != "buildTarget" || !isText || path == "" {
			return nil, fmt.Errorf("Pulumi.yaml: runtime.options.%s: the sandbox knows the options `binary` and "+
				"`buildTarget`, each a path", key)
		}
		if p.binary != "" {
			return nil, errors.New("Pulumi.yaml: runtime.options has both `binary` and `buildTarget`: use one")
		}
		p.binary, p.built = path, key == "binary"
		if !filepath.IsAbs(path) {
			p.binary = filepath.Join(p.source, path)
		}
	}
	return p, nil
}

// environment is what the SDK reads (sdk/go/pulumi/run.go). A variable without a value is left out.
func (p *program) environment(engineAddress string) []string {
	config, _ := json.Marshal(p.GetConfig()) // a map of strings always marshals
	secretKeys, _ := json.Marshal(append([]string{}, p.GetConfigSecretKeys()...))
	var environment []string
	for _, variable := range [][2]string{
		{"PULUMI_ORGANIZATION", p.GetOrganization()},
		{"PULUMI_PROJECT", p.GetProject()},
		{"PULUMI_ROOT_DIRECTORY", p.GetInfo().GetRootDirectory()},
		{"PULUMI_STACK", p.GetStack()},
		{"PULUMI_CONFIG", string(config)},
		{"PULUMI_CONFIG_SECRET_KEYS", string(secretKeys)},
		{"PULUMI_DRY_RUN", strconv.FormatBool(p.GetDryRun())},
		{"PULUMI_PARALLEL", strconv.Itoa(int(p.GetParallel()))},
		{"PULUMI_MONITOR", p.GetMonitorAddress()},
		{"PULUMI_ENGINE", engineAddress},
	} {
		if variable[1] != "" {
			environment = append(environment, variable[0]+"="+variable[1])
		}
	}
	return environment
}

// run returns the program's exit status, or an error where it could not be built or started.
func (p *program) run(ctx context.Context, environment []string, log *engine.Log) (status int, err error) {
	command, cleanUp, err := p.start(ctx, environment, log)
	if err != nil {
		return 0, err
	}
	defer cleanUp()
	err = command.Wait()
	command.Stdout.(*printer).flush()
	command.Stderr.(*printer).flush()
	if ctx.Err() != nil {
		return 0, errInterrupted
	}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.Exited() {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// start builds and starts the program. Another command may build the same target at the same time, so building and
// starting are one step for it.
func (p *program) start(ctx context.Context, environment []string, log *engine.Log) (*exec.Cmd, func(), error) {
	binary, cleanUp := p.binary, func() {}
	switch {
	case p.built:
	case binary != "":
		if err := os.MkdirAll(filepath.Dir(binary), 0o755); err != nil {
			return nil, nil, err
		}
		lock := flock.New(binary + ".lock")
		if err := lock.Lock(); err != nil {
			return nil, nil, fmt.Errorf("building the program: %w", err)
		}
		defer lock.Unlock()
	default:
		dir, err := os.MkdirTemp("", "pulumi-program")
		if err != nil {
			return nil, nil, err
		}
		binary, cleanUp = filepath.Join(dir, "program"), func() { _ = os.RemoveAll(dir) }
	}
	command, err := p.buildAndStart(ctx, binary, environment, log)
	if err != nil {
		cleanUp()
		return nil, nil, err
	}
	return command, cleanUp, nil
}

func (p *program) buildAndStart(ctx context.Context, binary string, environment []string, log *engine.Log) (*exec.Cmd,
	error) {
	if !p.built {
		log.Status("", "Compiling the program ...")
		// Without -buildvcs=false every commit would be linked again. Go leaves a target alone that is up to date.
		build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-trimpath", "-ldflags=-s -w", "-o", binary, ".")
		build.Dir, build.Env = p.source, withoutPulumi(environment)
		process.EndWith(build, syscall.SIGKILL)
		if output, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("unable to build the Go program in %s: %w\n%s", p.source, err, bytes.TrimSpace(output))
		}
		log.Status("", "Finished compiling")
	}
	command := exec.CommandContext(ctx, binary)
	command.Dir, command.Env = p.GetPwd(), environment
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = interruptTime
	process.EndWith(command, syscall.SIGKILL) // as the CLI's own host's end with it
	command.Stdout, command.Stderr = &printer{log: log, stream: 1}, &printer{log: log, stream: 2}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("unable to run the program: %w", err)
	}
	return command, nil
}

// withoutPulumi is an environment for the compiler and what it starts: PULUMI_CONFIG has every decrypted secret.
func withoutPulumi(environment []string) []string {
	return slices.DeleteFunc(slices.Clone(environment),
		func(variable string) bool { return strings.HasPrefix(variable, "PULUMI_") })
}

// printer shows a program's output line by line.
type printer struct {
	log     *engine.Log
	stream  int32
	pending []byte // the start of a line
}

func (p *printer) Write(text []byte) (int, error) {
	p.pending = append(p.pending, text...)
	if end := bytes.LastIndexByte(p.pending, '\n') + 1; end > 0 {
		p.log.Print(p.stream, string(p.pending[:end]))
		p.pending = bytes.Clone(p.pending[end:])
	}
	return len(text), nil
}

func (p *printer) flush() {
	if len(p.pending) > 0 {
		p.log.Print(p.stream, string(p.pending)+"\n")
	}
}
