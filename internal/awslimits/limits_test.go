package awslimits

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPatternsOfIAM(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]bool{"*": true, "sts:assumerole": true, "sts:*": true, "sts:assume????": true,
		"*role": true,
		"*s*s*": true, "sts:*?": true, "**": true, "s*t*s*:*role*": true,
		"sts": false, "sts:assumerole?": false, "s3:*": false, "": false, "*x": false, "sts:*roles": false} {
		require.Equal(t, want, Match(pattern, "sts:assumerole"), pattern)
	}
	require.True(t, Match("", ""))
	require.False(t, Match(strings.Repeat("a*", 30)+"b", strings.Repeat("a", 10000)),
		"in a time that a pattern cannot draw out")
}

func TestPolicyCountsAsIAMDoes(t *testing.T) {
	t.Parallel()
	require.Equal(t, 19, Policy(" {\n\t\"Version\": \"é\" , \"a\" }\r\n"))
}

func TestTaskSizes(t *testing.T) {
	t.Parallel()
	for cpu, memory := range map[int]int{256: 512, 4096: 30720, 8192: 61440, 16384: 122880, 32768: 249856} {
		require.True(t, OnFargate(cpu, memory))
	}
	for cpu, memory := range map[int]int{256: 1536, 512: 512, 1000: 2048, 8192: 17408, 16384: 122881, 32768: 124928,
		65536: 249856} {
		require.False(t, OnFargate(cpu, memory))
	}
	require.Equal(t, "256, 512, 1024, 2048, 4096, 8192, 16384, 32768", CPUInWords())
}

func TestUlimits(t *testing.T) {
	t.Parallel()
	for limits, want := range map[[2]int]bool{{1, 1}: false, {1, -1}: false, {-1, -1}: false, {2, 1}: true,
		{-1, 1}: true} {
		require.Equal(t, want, SoftAboveHard(limits[0], limits[1]), limits)
	}
}
