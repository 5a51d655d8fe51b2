package origins

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOriginsAreLabelsOfTheirContainerAlone(t *testing.T) {
	t.Parallel()
	labels := map[string]string{"slipway.tag": "1"}
	require.Equal(t, labels, Origins(nil).LabelsWith(labels))
	require.Nil(t, Origins{}.LabelsWith(nil))

	with := Origins{"HOST": "output host of network/dev"}.LabelsWith(labels)
	require.Equal(t, map[string]string{"slipway.tag": "1", "slipway.from.HOST": "output host of network/dev"}, with)
	require.Len(t, labels, 1, "containers of one image share its labels")

	found, others := In(with)
	require.Equal(t, Origins{"HOST": "output host of network/dev"}, found)
	require.Equal(t, labels, others)
}
