package stage

import (
	"encoding/json"
	"fmt"
	"os"
)

// Input is what a stage is loaded from.
type Input struct {
	// Project and Stage are the names of the Pulumi project and stack.
	Project, Stage string
	// Config maps a full key ("slipway:services") to its raw value: JSON text for objects and lists, plain
	// text otherwise.
	Config map[string]string
	// SecretKeys are the full keys whose value is, or holds, an encrypted one.
	SecretKeys []string
	// Root is the directory of Pulumi.yaml; empty for the configuration of an earlier update, of which no file is at hand.
	Root string
	// StageFile is the text of the stage file where that in Root is another one, as before it is written; else nil.
	StageFile []byte
	// Outputs is called once for each stack that values come from, for several at the same time. Nil where the values do
	// not matter: then each is one that passes all checks.
	Outputs ReadOutputs
}

// FromEnvironment reads what the Pulumi engine tells the program through PULUMI_* variables. It takes the configuration
// out of the environment, as it has every decrypted secret: no child process is to get it, whoever starts one (git, or
// the program of an AWS profile's credential_process). The Pulumi SDK has read it before.
func FromEnvironment() (Input, error) {
	in := Input{
		Project: os.Getenv("PULUMI_PROJECT"),
		Stage:   os.Getenv("PULUMI_STACK"),
		Root:    os.Getenv("PULUMI_ROOT_DIRECTORY"),
	}
	if in.Project == "" || in.Stage == "" {
		return in, fmt.Errorf("PULUMI_PROJECT and PULUMI_STACK are not set: run this program with \"pulumi up\"")
	}
	if in.Root == "" {
		in.Root = "."
	}
	if err := unmarshalVariable("PULUMI_CONFIG", &in.Config); err != nil {
		return in, err
	}
	return in, unmarshalVariable("PULUMI_CONFIG_SECRET_KEYS", &in.SecretKeys)
}

// unmarshalVariable leaves the decoder's error out: it could quote a decrypted secret.
func unmarshalVariable(name string, into any) error {
	text := os.Getenv(name)
	if text == "" {
		return nil
	}
	if json.Unmarshal([]byte(text), into) != nil {
		return fmt.Errorf("%s is not the JSON that the Pulumi engine sets", name)
	}
	return os.Unsetenv(name)
}
