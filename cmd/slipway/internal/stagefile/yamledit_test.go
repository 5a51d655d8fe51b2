package stagefile

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Refs as short as the editor allows: what it writes is not looked at.
const (
	oldRef = "r/web:old@sha256:1"
	newRef = "r/web:new@sha256:2"
	apiRef = "r/api:new@sha256:3"
)

func TestSetRefs(t *testing.T) {
	t.Parallel()
	web := map[string]string{"web": newRef}
	both := map[string]string{"web": newRef, "api": apiRef}
	tests := map[string]struct {
		refs         map[string]string
		source, want string
	}{
		"a plain ref in block style": {
			web,
			"config:\n  slipway:images:\n    web:\n      ref: OLD # by hand\n  slipway:services: {web: {replicas: 2}}\n",
			"config:\n  slipway:images:\n    web:\n      ref: NEW # by hand\n  slipway:services: {web: {replicas: 2}}\n",
		},
		"a double-quoted ref in flow style": {
			web,
			"config:\n    slipway:images:\n        web: {ref: \"OLD\"}   # why\n",
			"config:\n    slipway:images:\n        web: {ref: \"NEW\"}   # why\n",
		},
		"a single-quoted ref and a quoted key": {
			web,
			"config:\n  \"slipway:images\": {'web': {\"ref\": 'OLD'}, api: {ref: x}}\n",
			"config:\n  \"slipway:images\": {'web': {\"ref\": 'NEW'}, api: {ref: x}}\n",
		},
		"a ref on the line below its key": {
			web,
			"config:\n  slipway:images:\n    web:\n      ref:\n        OLD\n",
			"config:\n  slipway:images:\n    web:\n      ref:\n        NEW\n",
		},
		"characters of several bytes before the ref": {
			web,
			"# größe\nconfig: {slipway:environment: {Ä: \"ü\"}, slipway:images: {web: {ref: OLD}}}\n",
			"# größe\nconfig: {slipway:environment: {Ä: \"ü\"}, slipway:images: {web: {ref: NEW}}}\n",
		},
		"a byte order mark": {
			web,
			"\ufeffconfig: {slipway:images: {web: {ref: OLD}}}\n",
			"\ufeffconfig: {slipway:images: {web: {ref: NEW}}}\n",
		},
		"an empty ref in block style": {
			web,
			"config:\n  slipway:images:\n    web:\n      ref:  # to come\n",
			"config:\n  slipway:images:\n    web:\n      ref: NEW  # to come\n",
		},
		"an empty ref in flow style": {
			web,
			"config:\n  slipway:images: {web: {ref: , note: x}}\n",
			"config:\n  slipway:images: {web: {ref: NEW, note: x}}\n",
		},
		"a ref that is null": {
			web,
			"config:\n  slipway:images:\n    web: {ref: ~}\n",
			"config:\n  slipway:images:\n    web: {ref: NEW}\n",
		},
		"a ref that is empty text": {
			web,
			"config:\n  slipway:images:\n    web: {ref: ''}\n",
			"config:\n  slipway:images:\n    web: {ref: 'NEW'}\n",
		},
		"no images at all, among other settings": {
			web,
			"# head\nconfig:\n  aws:region: ap-northeast-2\n\n  slipway:services:\n    web:\n      replicas: 2 # two\n      # " +
				"more\n\nencryptionsalt: v1:abc\n",
			"# head\nconfig:\n  aws:region: ap-northeast-2\n\n  slipway:services:\n    web:\n      replicas: 2 # two\n      # " +
				"more\n  slipway:images:\n    web:\n      ref: NEW\n\nencryptionsalt: v1:abc\n",
		},
		"no images, in a file indented by four": {
			web,
			"config:\n    aws:region: x\n    slipway:services:\n        web: {replicas: 2}\n",
			"config:\n    aws:region: x\n    slipway:services:\n        web: {replicas: 2}\n    slipway:images:\n        " +
				"web:\n            ref: NEW\n",
		},
		"no images, after a list that stands as far left as its key": {
			web,
			"config:\n  aws:allowedAccountIds:\n  - \"1\"\n  - \"2\"\nencryptionsalt: v1:abc\n",
			"config:\n  aws:allowedAccountIds:\n  - \"1\"\n  - \"2\"\n  slipway:images:\n    web:\n      ref: " +
				"NEW\nencryptionsalt: v1:abc\n",
		},
		"no images, after a text of several lines": {
			web,
			"config:\n  a: |\n    one\n\n    two\n\n\n",
			"config:\n  a: |\n    one\n\n    two\n  slipway:images:\n    web:\n      ref: NEW\n\n\n",
		},
		"an empty map of images, with a comment": {
			web,
			"config:\n  slipway:images: {}  # promote writes here\n  a: b\n",
			"config:\n  slipway:images:  # promote writes here\n    web:\n      ref: NEW\n  a: b\n",
		},
		"an empty map of images with a space inside": {
			web,
			"config:\n  slipway:images: { }\n",
			"config:\n  slipway:images:\n    web:\n      ref: NEW\n",
		},
		"images without a value, with comments below": {
			web,
			"config:\n  slipway:images:\n    # promote writes here\n  a: b\n",
			"config:\n  slipway:images:\n    # promote writes here\n    web:\n      ref: NEW\n  a: b\n",
		},
		"images that are null": {
			web,
			"config:\n  slipway:images: null\n  a: b\n",
			"config:\n  slipway:images:\n    web:\n      ref: NEW\n  a: b\n",
		},
		"an image without a value": {
			web,
			"config:\n  slipway:images:\n    web:\n    api: {ref: x}\n",
			"config:\n  slipway:images:\n    web:\n      ref: NEW\n    api: {ref: x}\n",
		},
		"an image without a value in flow style": {
			web,
			"config:\n  slipway:images: {web: , api: {}}\n",
			"config:\n  slipway:images: {web: {ref: NEW}, api: {}}\n",
		},
		"an image without a space after its colon": {
			web,
			"config:\n  slipway:images: {\"web\":}\n",
			"config:\n  slipway:images: {\"web\": {ref: NEW}}\n",
		},
		"an empty image in flow style": {
			web,
			"config:\n  slipway:images: {web: {}}\n",
			"config:\n  slipway:images: {web: {ref: NEW}}\n",
		},
		"another image beside": {
			web,
			"config:\n  slipway:images:\n    api:\n      # pinned\n      ref: x # api\n    # end of images\n  a: b\n",
			"config:\n  slipway:images:\n    api:\n      # pinned\n      ref: x # api\n    web:\n      ref: NEW\n    # end of " +
				"images\n  a: b\n",
		},
		"another image beside, in flow style": {
			web,
			"config:\n  slipway:images: {api: {ref: x}}\n",
			"config:\n  slipway:images: {web: {ref: NEW}, api: {ref: x}}\n",
		},
		"another image beside, in spaced flow style": {
			web,
			"config:\n  slipway:images: { api: { ref: x } }\n",
			"config:\n  slipway:images: { web: {ref: NEW}, api: { ref: x } }\n",
		},
		"another image beside, in flow style over several lines": {
			web,
			"config:\n  slipway:images: {\n    api: {ref: x}\n  }\n",
			"config:\n  slipway:images: { web: {ref: NEW},\n    api: {ref: x}\n  }\n",
		},
		"two images, one there and one not": {
			both,
			"config:\n  slipway:images:\n    web: {ref: OLD}\n",
			"config:\n  slipway:images:\n    web: {ref: NEW}\n    api:\n      ref: API\n",
		},
		"two images where none was": {
			both,
			"config:\n  slipway:images: {}\n",
			"config:\n  slipway:images:\n    api:\n      ref: API\n    web:\n      ref: NEW\n",
		},
		"an image whose name YAML reads as a number or a boolean": {
			map[string]string{"1": newRef, "on": newRef},
			"config:\n  slipway:images:\n",
			"config:\n  slipway:images:\n    \"1\":\n      ref: NEW\n    \"on\":\n      ref: NEW\n",
		},
		"another project's images": {
			web,
			"config:\n  other:images:\n    web: {ref: x}\n",
			"config:\n  other:images:\n    web: {ref: x}\n  slipway:images:\n    web:\n      ref: NEW\n",
		},
		"an anchor elsewhere": {
			web,
			"config:\n  a: &a {b: c}\n  d: *a\n  slipway:images: {web: {ref: OLD}}\n",
			"config:\n  a: &a {b: c}\n  d: *a\n  slipway:images: {web: {ref: NEW}}\n",
		},
		"Windows line endings": {
			both,
			"config:\r\n  slipway:images:\r\n    web:\r\n      ref: OLD\r\nencryptionsalt: x\r\n",
			"config:\r\n  slipway:images:\r\n    web:\r\n      ref: NEW\r\n    api:\r\n      ref: API\r\nencryptionsalt: x\r\n",
		},
		"no newline at the end": {
			web,
			"config:\n  a: b",
			"config:\n  a: b\n  slipway:images:\n    web:\n      ref: NEW",
		},
		"no newline at the end, of a ref": {
			web,
			"config:\n  slipway:images:\n    web:\n      ref: OLD",
			"config:\n  slipway:images:\n    web:\n      ref: NEW",
		},
		"an empty file":            {web, "", "config:\n  slipway:images:\n    web:\n      ref: NEW\n"},
		"comments only":            {web, "# soon\n", "# soon\nconfig:\n  slipway:images:\n    web:\n      ref: NEW\n"},
		"a document start only":    {web, "---\n", "---\nconfig:\n  slipway:images:\n    web:\n      ref: NEW\n"},
		"an empty map as the file": {web, "{}\n", "config:\n  slipway:images:\n    web:\n      ref: NEW\n"},
		"an empty config":          {web, "config: {}\n", "config:\n  slipway:images:\n    web:\n      ref: NEW\n"},
		"a config without a value": {web, "config:\n", "config:\n  slipway:images:\n    web:\n      ref: NEW\n"},
		"no config but encryption": {web, "encryptionsalt: x\n",
			"encryptionsalt: x\nconfig:\n  slipway:images:\n    web:\n      ref: NEW\n"},
		"a file that is JSON": {web, "{\"config\": {\"slipway:images\": {\"web\": {\"ref\": \"OLD\"}}}}",
			"{\"config\": {\"slipway:images\": {\"web\": {\"ref\": \"NEW\"}}}}"},
		"a second document": {web, "a: b\n---\nc: d\n",
			"a: b\nconfig:\n  slipway:images:\n    web:\n      ref: NEW\n---\nc: d\n"},
		"the same ref as before": {web, "config: {slipway:images: {web: {ref: NEW}}}\n",
			"config: {slipway:images: {web: {ref: NEW}}}\n"},
		"a comment left of its images": {web, "config:\n  slipway:images:\n# note\n    api: {ref: x}\n# end\n",
			"config:\n  slipway:images:\n# note\n    api: {ref: x}\n    web:\n      ref: NEW\n# end\n"},
	}
	fill := strings.NewReplacer("OLD", oldRef, "NEW", newRef, "API", apiRef)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := SetRefs([]byte(fill.Replace(test.source)), "slipway:images", test.refs)
			require.NoError(t, err)
			require.Equal(t, fill.Replace(test.want), string(got))

			again, err := SetRefs(got, "slipway:images", test.refs)
			require.NoError(t, err)
			require.Equal(t, string(got), string(again), "a second run changes nothing")
		})
	}
}

func TestSetRefsRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ source, want string }{
		"an alias for the image": {"a: &a {ref: x}\nconfig:\n  slipway:images: {web: *a}\n",
			"config.slipway:images.web: an anchor or alias"},
		"an anchor on the images": {"config:\n  slipway:images: &i {web: {ref: x}}\n  b: *i\n",
			"config.slipway:images: an anchor or alias"},
		"an anchor on the ref": {"config:\n  slipway:images: {web: {ref: &r x}}\n",
			"config.slipway:images.web.ref: line 2"},
		"an image merged from elsewhere": {"a: &a {web: {ref: x, note: y}}\nconfig:\n  slipway:images:\n    <<: *a\n",
			"cannot be edited in place"},
		"a ref over several lines": {"config:\n  slipway:images:\n    web:\n      ref: >-\n        x\n",
			"config.slipway:images.web.ref: line 4"},
		"a quoted ref with an escape": {"config:\n  slipway:images: {web: {ref: \"\\x41\"}}\n",
			"config.slipway:images.web.ref: line 2"},
		"a ref that is a map": {"config:\n  slipway:images: {web: {ref: {a: b}}}\n",
			"config.slipway:images.web.ref: line 2"},
		"images that are a list":             {"config:\n  slipway:images: [web]\n", "config.slipway:images: must be a map"},
		"a config that is text":              {"config: hello\n", "config: must be a map"},
		"a line break that only YAML counts": {"# one\u2028# two\nconfig: {slipway:images: {web: {ref: x}}}\n", "line 3"},
		"a carriage return alone":            {"# one\rconfig: {slipway:images: {web: {}}}\r", "cannot be edited in place"},
		"a file that is no YAML":             {"config: [\n", "yaml:"},
		"a key that stands twice": {"config:\n  slipway:images: {web: {ref: x}}\n  slipway:images: {}\n",
			"already defined"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := SetRefs([]byte(test.source), "slipway:images", map[string]string{"web": newRef})
			require.ErrorContains(t, err, test.want)
		})
	}
}
