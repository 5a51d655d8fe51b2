// Command reader is what a container's own code does with AWS: it prints a secret's value, by the credentials and the
// endpoint that the SDK finds.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

func main() {
	value, err := read(context.Background(), os.Args[1])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(value)
}

func read(ctx context.Context, secret string) (string, error) {
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return "", err
	}
	found, err := secretsmanager.NewFromConfig(settings).GetSecretValue(ctx,
		&secretsmanager.GetSecretValueInput{SecretId: &secret})
	if err != nil {
		return "", err
	}
	return *found.SecretString, nil
}
