package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"go.yaml.in/yaml/v3"
)

// A CLI that finds no salt in a stage file makes one, and rewrites the file: 0644 becomes 420 before the program has
// read it. So the pulumi on a command's PATH is this program, which puts a salt at the end of such files and then
// becomes the CLI.

// What this program is asked when it is called as pulumi.
const (
	cliVariable     = "SANDBOX_CLI"     // the CLI that it becomes
	projectVariable = "SANDBOX_PROJECT" // the directory of the Pulumi.yaml whose stage files get a salt; "" for none
	saltVariable    = "SANDBOX_SALT"    // the salt
)

// calledAs is the name by which commands call the CLI.
const calledAs = "pulumi"

// linkCLI makes this program be called as pulumi, and returns the directory for the PATH. It lies in the account's.
func linkCLI(dir string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return "", err
	}
	link := filepath.Join(bin, calledAs)
	if to, err := os.Readlink(link); err == nil && to == self {
		return bin, nil
	}
	// Another exec may use the link at this moment.
	fresh := fmt.Sprintf("%s.%d", link, os.Getpid())
	return bin, errors.Join(os.Symlink(self, fresh), os.Rename(fresh, link))
}

// becomeCLI salts the stage files and becomes the CLI. It returns only where that fails.
func becomeCLI(args []string) error {
	if err := saltStageFiles(os.Getenv(projectVariable), os.Getenv(saltVariable)); err != nil {
		return err
	}
	cli := os.Getenv(cliVariable)
	if cli == "" {
		return errors.New("the sandbox is called as pulumi only by what `sandbox exec` runs")
	}
	return fmt.Errorf("%s: %w", cli, syscall.Exec(cli, append([]string{cli}, args...), os.Environ()))
}

// saltStageFiles puts a salt into the stage files of a project that have none. "" is no project.
func saltStageFiles(project, salt string) error {
	if project == "" {
		return nil
	}
	s, err := newStageFiles(project)
	if err != nil {
		return nil // the CLI says why
	}
	return s.guarded(func() error {
		names, err := s.list(s.dir)
		if err != nil {
			return err
		}
		for _, name := range names {
			file := filepath.Join(s.dir, name)
			content, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			if salted := s.salted(content, salt); salted != nil {
				if err := replaceFile(file, salted); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// salted is a stage file with a line for the salt at its end; nil where that would change what it says, or where it
// needs none.
func (s *stageFiles) salted(content []byte, salt string) []byte {
	before, err := s.parse(content)
	// What is encrypted without a salt in the file is so with the one in the stack's state, which the CLI finds.
	if err != nil || before.EncryptionSalt != "" || before.EncryptedKey != "" || before.Config.HasSecureValue() ||
		before.SecretsProvider != "" && before.SecretsProvider != "passphrase" && before.SecretsProvider != "default" {
		return nil
	}
	text := string(content)
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	text += "encryptionsalt: " + salt + "\n"
	after, err := s.parse([]byte(text))
	if err != nil || after.EncryptionSalt != salt || !sameSettings(before, after) {
		return nil
	}
	return []byte(text)
}

// accountSalt is the salt of all stages of the account in dir, as the CLI makes one: v1:<8 random bytes>:<the word
// "pulumi", encrypted>.
func accountSalt(dir string) (string, error) {
	file := filepath.Join(dir, "home", "salt")
	kept, err := os.ReadFile(file)
	if err == nil {
		return string(kept), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	random := make([]byte, 8)
	if _, err := rand.Read(random); err != nil {
		return "", err
	}
	word, err := config.NewSymmetricCrypterFromPassphrase(passphrase, random).EncryptValue(context.Background(), "pulumi")
	if err != nil {
		return "", err
	}
	salt := "v1:" + base64.StdEncoding.EncodeToString(random) + ":" + word
	return salt, os.WriteFile(file, []byte(salt), 0o600)
}

// checkUsable refuses a stage file whose secrets the sandbox cannot decrypt.
func checkUsable(file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var settings map[string]any
	if yaml.Unmarshal(content, &settings) != nil {
		return nil // the CLI says why
	}
	provider, _ := settings["secretsprovider"].(string)
	switch salt, _ := settings["encryptionsalt"].(string); {
	case provider != "" && provider != "passphrase" && provider != "default":
		// Only the scheme: the rest may name a key or an account.
		scheme, _, _ := strings.Cut(provider, ":")
		provider = "the secrets provider " + scheme
	case settings["encryptedkey"] != nil:
		provider = "another secrets provider"
	case salt != "" && !opens(salt):
		provider = "another passphrase"
	default:
		return nil
	}
	return fmt.Errorf("%s is encrypted with %s, which the sandbox does not have: use a copy of the project whose %s "+
		"has neither encrypted values nor that provider", filepath.Base(file), provider, filepath.Base(file))
}

// opens reports whether a salt was made with the sandbox's passphrase. A salt is v1:<base64>:<the word "pulumi"
// encrypted>.
func opens(salt string) bool {
	parts := strings.SplitN(salt, ":", 3)
	if len(parts) != 3 || parts[0] != "v1" {
		return false
	}
	decoded, err := base64.StdEncoding.DecodeString(parts[1])
	if err != nil {
		return false
	}
	word, err := config.NewSymmetricCrypterFromPassphrase(passphrase, decoded).DecryptValue(context.Background(), parts[2])
	return err == nil && word == "pulumi"
}
