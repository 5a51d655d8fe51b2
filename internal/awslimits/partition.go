package awslimits

import "strings"

// Partition is that of a region: the second part of every ARN in it
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html). A partition has accounts and policies of its
// own.
func Partition(region string) string {
	for prefix, partition := range map[string]string{"cn-": "aws-cn", "us-gov-": "aws-us-gov", "us-iso-": "aws-iso",
		"us-isob-": "aws-iso-b",
		"eu-isoe-": "aws-iso-e", "us-isof-": "aws-iso-f", "eusc-": "aws-eusc"} {
		if strings.HasPrefix(region, prefix) {
			return partition
		}
	}
	return "aws"
}
