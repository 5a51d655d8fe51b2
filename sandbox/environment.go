package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"slipway/sandbox/account/sts"
)

// passphrase protects nothing: all that it encrypts is made up.
const passphrase = "sandbox"

// environment is that of a command with the account attached: base, with everything changed that would lead it to
// another account, registry or state. The directories in path come first on its PATH.
func (s servers) environment(base []string, dir, id string, path ...string) []string {
	awsURL := fmt.Sprintf("http://127.0.0.1:%d", s.api)
	changed := []string{
		"PATH=" + strings.Join(append(path, valueOf(base, "PATH")), string(os.PathListSeparator)),

		fmt.Sprintf("PULUMI_DEBUG_PROVIDERS=aws:%d,docker:%d", s.aws, s.docker),
		fmt.Sprintf("PULUMI_DEBUG_LANGUAGES=go:%d", s.language),
		"PULUMI_HOME=" + filepath.Join(dir, "home"),
		// The backend would keep a file of attributes beside each state, and not write it in one piece: a kill at that moment
		// would leave a state that cannot be read ("failed to load checkpoint: EOF").
		"PULUMI_BACKEND_URL=file://" + filepath.ToSlash(filepath.Join(dir, "state")) + "?metadata=skip",
		"PULUMI_CONFIG_PASSPHRASE=" + passphrase,
		"PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER=true", // finds the salt that the stage file no longer has
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true",
		"PULUMI_SKIP_UPDATE_CHECK=true",

		"AWS_ENDPOINT_URL=" + awsURL,
		"AWS_ENDPOINT_URL_ECS=" + awsURL,
		"AWS_ENDPOINT_URL_ECR=" + awsURL,
		"AWS_ENDPOINT_URL_STS=" + awsURL,
		"AWS_ACCESS_KEY_ID=" + sts.PlainKey(id),
		"AWS_SECRET_ACCESS_KEY=sandbox",
		"AWS_EC2_METADATA_DISABLED=true",
		// Never the user's own files by themselves.
		"AWS_CONFIG_FILE=" + cmp.Or(valueOf(base, "AWS_CONFIG_FILE"), os.DevNull),
		"AWS_SHARED_CREDENTIALS_FILE=" + cmp.Or(valueOf(base, "AWS_SHARED_CREDENTIALS_FILE"), os.DevNull),
	}
	environment := slices.DeleteFunc(slices.Clone(base), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return leadsElsewhere(name) || valueOf(changed, name) != ""
	})
	return append(environment, changed...)
}

// leadsElsewhere tells of variables that choose an account, its credentials or a state.
func leadsElsewhere(name string) bool {
	switch name {
	case "PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_CREDENTIALS_PATH",
		"PULUMI_IGNORE_AMBIENT_PLUGINS":
		return true
	case "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PAGER", "AWS_DEFAULT_OUTPUT":
		return false
	}
	return strings.HasPrefix(name, "AWS_")
}

// useCredentials has this process, in which the provider is, find the credentials that the command has.
func useCredentials(environment []string) error {
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") {
			if err := os.Unsetenv(name); err != nil {
				return err
			}
		}
	}
	for _, variable := range environment {
		if name, value, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") {
			if err := os.Setenv(name, value); err != nil {
				return err
			}
		}
	}
	return nil
}

func valueOf(environment []string, name string) string {
	for _, variable := range slices.Backward(environment) {
		if value, found := strings.CutPrefix(variable, name+"="); found {
			return value
		}
	}
	return ""
}

// inForeground tells whether a terminal sends its signals to this process group.
func inForeground() bool {
	terminal, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	defer terminal.Close()
	group, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}
