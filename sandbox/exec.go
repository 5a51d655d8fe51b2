package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/gofrs/flock"
	"github.com/spf13/cobra"

	"slipway/sandbox/account"
	"slipway/sandbox/api"
	"slipway/sandbox/aws"
	"slipway/sandbox/docker"
	"slipway/sandbox/language"
	"slipway/sandbox/policy"
	"slipway/sandbox/process"
	"slipway/sandbox/registry"
)

func execCommand(dir *string) *cobra.Command {
	var policyFile string
	id := account.DefaultID
	command := &cobra.Command{
		Use:   "exec -- COMMAND [ARGUMENT…]",
		Short: "Run a command with the account attached, and end with its exit status",
		Long: `Run a command with the account attached, and end with its exit status.

The command, and whatever it starts, sees the account as AWS: Pulumi's aws and docker providers, the AWS SDKs and the
aws CLI reach nothing else. Its pulumi keeps state in the account's directory. A stage file without an encryptionsalt has
one at its end while pulumi runs, and gets its bytes back when the command ends. Run commands that are to work at the same
time each with an exec of its own.

Its keys belong to the account 123456789012, or to that of --account. It reaches other accounts as on AWS: with
aws:assumeRole or aws:profile, and with profiles in the files that AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name.

Images are built by the Docker engine where one answers (DOCKER_HOST is honoured). Where none does, or SANDBOX_DOCKER=off
is set, the sandbox packs them itself if the Dockerfile is FROM scratch and only copies files and sets properties.

Tasks run as containers of the same engine, while a command runs or sandbox watch does, and run on by themselves after it.
Without an engine, or with SANDBOX_DOCKER=build, they are only recorded.

With --policy the command may do what an IAM policy allows and no more, through the providers and the APIs. SANDBOX_CALLS
names a file for the actions that it takes, with their resources.

A resource of a type that the sandbox does not simulate is recorded, and the update says so. With SANDBOX_STRICT=on it is
refused.

SANDBOX_API_LOG names a file for the operations of the AWS APIs that are called, beside those of Pulumi's providers.`,
		Example: `  sandbox exec -- pulumi up --stack dev
  sandbox exec -- slipway promote dev release
  sandbox exec -- sh -c 'pulumi preview --stack dev && pulumi stack history --stack dev'`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			status, err := execute(*dir, id, policyFile, args, command.ErrOrStderr())
			if err == nil && status != 0 {
				return exitStatus(status)
			}
			return err
		},
	}
	command.Flags().StringVar(&policyFile, "policy", "",
		"let the command do what the IAM policy in this `file` allows, and no more")
	command.Flags().StringVar(&id, "account", id, "the `number` of the account that the command's keys belong to")
	return command
}

// execute runs a command with the accounts in dir attached, and the keys of one of them, and returns its exit status.
// policyFile has what the command may do; it may do everything where that is empty.
func execute(dir, id, policyFile string, args []string, progress io.Writer) (status int, err error) {
	if !account.IsID(id) {
		return 0, fmt.Errorf("--account: %q is not the number of an account: write 12 digits", id)
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return 0, err
	}
	cli, err := pulumiCLI(progress)
	if err != nil {
		return 0, err
	}
	workDir, stage := pulumiArguments(args)
	workDir, err = filepath.Abs(workDir)
	if err != nil {
		return 0, err
	}
	project, found := parentWith(workDir, "Pulumi.yaml")
	if !found {
		project = ""
	} else {
		files, err := keepStageFiles(project, stage)
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, files.end()) }()
	}
	log := os.Getenv("SANDBOX_CALLS")
	var guard func(account.Call) error
	if policyFile != "" || log != "" {
		if guard, err = policy.Guard(policyFile, log); err != nil {
			return 0, err
		}
	}
	err = withAccount(dir, func(a *account.Account) error {
		a.SetGuard(guard)
		lock, err := useDir(dir)
		if err != nil {
			return err
		}
		defer lock.Unlock()
		host := language.NewHost(workDir)
		attached, err := serve(a, host, dir)
		if err != nil {
			return err
		}
		self, err := os.Executable() // in its directory is slipway, too
		if err != nil {
			return err
		}
		tasks, err := startTasks(dir, a, nil)
		if err != nil {
			return err
		}
		defer tasks.end()
		bin, err := linkCLI(dir)
		if err != nil {
			return err
		}
		salt, err := accountSalt(dir)
		if err != nil {
			return err
		}
		environment := attached.environment(os.Environ(), dir, id, bin, filepath.Dir(self))
		environment = append(environment, cliVariable+"="+cli, projectVariable+"="+project, saltVariable+"="+salt)
		host.SetEnvironment(environment)
		if err := useCredentials(environment); err != nil {
			return err
		}
		if args[0] == calledAs { // without a start of this program in between
			if err := saltStageFiles(project, salt); err != nil {
				return err
			}
			args = append([]string{cli}, args[1:]...)
		}
		status, err = runCommand(args, environment)
		tasks.settle()
		return err
	})
	return status, err
}

// pulumiArguments are the directory and the stage that a `pulumi` command names: "." and "" where it names none.
func pulumiArguments(args []string) (dir, stage string) {
	dir = "."
	for i, arg := range args {
		name, value, hasValue := strings.Cut(arg, "=")
		if !hasValue && i+1 < len(args) {
			value = args[i+1]
		}
		switch name {
		case "--":
			return dir, stage
		case "-C", "--cwd":
			if filepath.Base(args[0]) == "pulumi" {
				dir = value
			}
		case "-s", "--stack":
			stage = value
		}
	}
	// A stack may be given as organization/project/stack.
	return dir, stage[strings.LastIndex(stage, "/")+1:]
}

// useDir marks the account's directory as in use until it is unlocked, or the process ends.
func useDir(dir string) (*flock.Flock, error) {
	for _, name := range []string{"state", "home"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return nil, err
		}
	}
	lock := flock.New(filepath.Join(dir, "in-use"))
	return lock, lock.RLock()
}

// servers are the ports of 127.0.0.1 that the account answers on.
type servers struct {
	aws, docker, language, api int
}

// serve starts the servers, which end with the process: so does what they have under way, as it does when the CLI
// stops its own plugins.
func serve(a *account.Account, host *language.Host, dir string) (s servers, err error) {
	if s.aws, _, err = aws.Serve(a, aws.AskSTS); err != nil {
		return s, err
	}
	images := registry.New(filepath.Join(dir, "registry"), a)
	if s.docker, _, err = docker.Serve(a, images, host.Directory); err != nil {
		return s, err
	}
	if s.language, _, err = host.Serve(); err != nil {
		return s, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return s, fmt.Errorf("serving the AWS APIs: %w", err)
	}
	s.api = listener.Addr().(*net.TCPAddr).Port
	handler, err := logged(api.New(a, images), os.Getenv("SANDBOX_API_LOG"))
	if err != nil {
		return s, err
	}
	go func() { _ = http.Serve(listener, handler) }() // ends with the process
	return s, nil
}

// logged appends the names of the AWS APIs' operations to a file, as they are called.
func logged(handler http.Handler, file string) (http.Handler, error) {
	if file == "" {
		return handler, nil
	}
	log, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("SANDBOX_API_LOG: %w", err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		_, _ = fmt.Fprintln(log, operation) // ends with the process
		handler.ServeHTTP(w, r)
	}), nil
}

// runCommand runs a command to its end. Its streams are those of this process.
func runCommand(args, environment []string) (status int, err error) {
	// The command is looked up on its own PATH.
	if err := os.Setenv("PATH", valueOf(environment, "PATH")); err != nil {
		return 0, err
	}
	command := exec.Command(args[0], args[1:]...)
	command.Env = environment
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	process.EndWith(command, syscall.SIGTERM) // without the account it can do nothing
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	if err := command.Start(); err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	for {
		select {
		case s := <-signals:
			// A terminal sends Ctrl-C to the command too, which would take a second one for "stop at once".
			if s != os.Interrupt || !inForeground() {
				_ = command.Process.Signal(s) // it may have ended
			}
		case err := <-ended:
			return statusOf(command.ProcessState, err)
		}
	}
}

// statusOf is a command's exit status as a shell reports it: 128 and the signal's number where one killed it.
func statusOf(state *os.ProcessState, err error) (int, error) {
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return 0, err
	}
	if wait, ok := state.Sys().(syscall.WaitStatus); ok && wait.Signaled() {
		return 128 + int(wait.Signal()), nil
	}
	return state.ExitCode(), nil
}
