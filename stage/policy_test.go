package stage

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPartsOfASecretsARN(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop-AbCdEf"
	for reference, want := range map[string][3]string{
		arn:                         {arn, "", ""},
		arn + ":KEY::":              {arn, "", ""},
		arn + ":KEY:AWSPREVIOUS:":   {arn, "AWSPREVIOUS", ""},
		arn + ":::0123-4567":        {arn, "", "0123-4567"},
		"arn:aws:ssm:a:1:parameter": {"arn:aws:ssm:a:1:parameter", "", ""},
	} {
		label, version := Secret{ARN: reference}.Version()
		require.Equal(t, want, [3]string{SecretARN(reference), label, version})
		require.Equal(t, reference == "arn:aws:ssm:a:1:parameter", Secret{ARN: reference}.IsParameter())
	}
	require.False(t, Secret{}.IsParameter())
}
