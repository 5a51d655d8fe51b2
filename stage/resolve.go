package stage

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"

	"slipway/internal/spelling"
	"slipway/stage/fields"
)

// resolver puts the values of other stacks into the tree of a stage before that is decoded, so that they are checked as
// if they stood there.
type resolver struct {
	*checker
	declared   map[string]Output
	used       map[string]bool
	references []outputUse
	stacks     map[string]*exports
}

// outputUse is {output: NAME}, which stands for a value.
type outputUse struct {
	node   *node
	name   string
	list   bool // it stands for a list
	secret bool // it stands in secrets
}

// exports are a stack's outputs, or why they are not known.
type exports struct {
	outputs  map[string]OutputValue
	err      error
	reported bool
}

// resolveOutputs resolves every {output: NAME}, and refuses ${…} where nothing reads it.
func (c *checker) resolveOutputs() {
	r := &resolver{checker: c, used: map[string]bool{}, stacks: map[string]*exports{}}
	if declared := c.root.object["outputs"]; declared != nil {
		c.decode(declared, reflect.ValueOf(&r.declared).Elem())
	}
	r.find(c.root, reflect.TypeFor[document](), "")
	c.checkOutputs(r.declared, r.used)
	// So that a stack which is not there is told at the first of its outputs.
	slices.SortStableFunc(r.references, func(a, b outputUse) int { return strings.Compare(a.name, b.name) })
	r.readStacks()
	for _, each := range r.references {
		r.resolve(each)
	}
}

// find gathers the references in a value of a type. tag is that of the key's field which it stands below.
func (r *resolver) find(n *node, of reflect.Type, tag reflect.StructTag) {
	if n == nil || n.bad {
		return
	}
	switch of.Kind() {
	case reflect.Pointer:
		r.find(n, of.Elem(), tag)
	case reflect.Map:
		if tag.Get("outputs") != "" && of.Elem().Kind() == reflect.String && r.foundForAll(n) {
			return
		}
		for _, key := range n.keys() {
			r.find(n.object[key], of.Elem(), tag)
		}
	case reflect.Struct:
		r.findInStruct(n, of)
	case reflect.Slice:
		if r.found(n, true, tag) {
			return
		}
		for _, element := range n.list {
			r.find(element, of.Elem(), tag)
		}
	default:
		if !r.found(n, false, tag) {
			r.unescape(n, tag.Get("braces"))
		}
	}
}

func (r *resolver) findInStruct(n *node, of reflect.Type) {
	keys := fields.Names(of)
	if len(n.object) == 1 && !slices.Contains(keys, "output") && r.found(n, false, "") {
		return
	}
	for _, field := range fields.Of(of) {
		r.find(n.object[field.Tag.Get("json")], field.Type, field.Tag)
	}
	for _, key := range n.keys() {
		if slices.Contains(keys, key) {
			continue
		}
		// What is meant by an unknown key is not known, so nor is it whether an output may stand there.
		n.object[key].all(func(below *node) {
			if name := below.child("output"); name != nil {
				r.used[name.text()] = true
			}
		})
	}
}

const outputPlaces = "the values of environment and secrets, resources and the values of conditions in permissions, " +
	"a queue and the dimensions of metrics in scaling, network.vpc and network.subnets"

// found tells a reference from other values, and notes it.
func (r *resolver) found(n *node, list bool, tag reflect.StructTag) bool {
	written := n.child("output")
	if written == nil {
		return false
	}
	name, isText := written.scalar.(string)
	_, declared := r.declared[name]
	r.used[name] = true
	switch takes := tag.Get("outputs"); {
	case takes == "":
		r.reject(n, "takes no output of another stack; {output: …} can stand for %s", outputPlaces)
	case len(n.object) > 1:
		r.reject(n, "has other keys beside output; declare stack and output in outputs under a name, and write {output: NAME}")
	case !isText:
		r.reject(n, "is no reference to an output; write {output: NAME}, with a name that outputs declares%s",
			orOneOf(slices.Sorted(maps.Keys(r.declared))))
	case !declared:
		if !r.at("outputs").bad {
			r.reject(n, "is an output that outputs does not declare; declare it there, with its stack and output%s",
				orOneOf(slices.Sorted(maps.Keys(r.declared))))
		}
	default:
		r.references = append(r.references, outputUse{n, name, list, takes == "secret"})
		return true
	}
	n.spoil()
	return true
}

// foundForAll tells a reference in place of a map of values, which nobody means as a variable called output. In an
// earlier update it was one.
func (r *resolver) foundForAll(n *node) bool {
	name := n.child("output")
	if name == nil || len(n.object) > 1 || name.scalar == nil || r.in.Root == "" {
		return false
	}
	r.used[name.text()] = true
	r.reject(n, "is {output: %[1]s}, which stands for a single value and not for all of them; write NAME: {output: "+
		"%[1]s}, or give a variable that is called output another name", shorten(name.text()))
	return true
}

// readStacks reads the stacks of the outputs that are used, each once and all at the same time.
func (r *resolver) readStacks() {
	if r.in.Outputs == nil {
		return
	}
	var reading sync.WaitGroup
	for _, each := range r.references {
		stack := r.stackOf(r.declared[each.name])
		if r.at("outputs", each.name).broken() || r.stacks[stack] != nil {
			continue
		}
		read := &exports{}
		r.stacks[stack] = read
		reading.Go(func() { read.outputs, read.err = r.in.Outputs(stack) })
	}
	reading.Wait()
}

// resolve puts the value of an output in the place of a reference to it.
func (r *resolver) resolve(each outputUse) {
	n, here := each.node, r.at("outputs", each.name)
	output := r.declared[each.name]
	n.from = r.source(output)
	value, known := OutputValue{}, false
	if !here.broken() && r.in.Outputs != nil {
		value, known = r.valueOf(here, output)
	}
	if !known {
		n.standIn(each)
		return
	}
	n.hidden = n.hidden || value.Secret
	text, err := json.Marshal(value.Value)
	if err != nil {
		panic(err) // it was decoded
	}
	got, _ := parseNode(string(text), node{path: n.path, file: n.file, from: n.from, hidden: n.hidden,
		encrypted: value.Secret})
	isList := got.list != nil
	switch {
	case value.Secret && !each.secret:
		r.reject(n, "is a secret there, and would end up readable in AWS; write {output: %s} in %s:secrets, and "+
			"its name there in the secrets of the containers that need it", each.name, r.namespace)
	case value.Value == nil || value.Value == "" || isList && len(got.list) == 0:
		r.reject(n, "is empty; let the other stack export a value")
	case value.Secret && got.object != nil && len(got.object) == 0: // which Pulumi makes of it
		r.reject(n, "cannot be decrypted; give pulumi what decrypts the other stack, such as the passphrase that both have")
	case each.list && !isTexts(value.Value):
		r.reject(n, "is %s; it must be a list of texts, none of them empty: let the other stack export one", got)
	case !each.list && isTexts(value.Value):
		r.reject(n, "is a list; let {output: %s} stand for a whole list, or let the other stack export a single element",
			each.name)
	case !each.list && !isFilledText(value.Value):
		r.reject(n, "is %s; it must be text: let the other stack export it as text", got)
	default:
		*n = *got
		return
	}
	n.standIn(each)
}

// valueOf is an output's value, as the other stack has it.
func (r *resolver) valueOf(here place, output Output) (value OutputValue, known bool) {
	stack := r.stackOf(output)
	read := r.stacks[stack]
	if read.err != nil {
		if !read.reported {
			here.at("stack").failIf(read.err.Error())
		}
		read.reported = true
		return value, false
	}
	value, known = read.outputs[output.Output]
	if !known {
		here.at("output").failIf(missingOutput(stack, output.Output, slices.Sorted(maps.Keys(read.outputs))))
	}
	return value, known
}

func missingOutput(stack, name string, there []string) string {
	if len(there) == 0 {
		return stack + " has no outputs; let it export the value, and run `pulumi up` there first"
	}
	message := fmt.Sprintf("%s has no output %q", stack, name)
	if meant := spelling.Nearest(name, there); meant != "" {
		return message + fmt.Sprintf("; did you mean %q? Its outputs are %s", meant, enumerate(there))
	}
	return message + "; its outputs are " + enumerate(there)
}

// standIn takes the place of a value that is not known, and of which so nothing is said.
func (n *node) standIn(of outputUse) {
	n.object, n.written, n.hidden, n.encrypted = nil, nil, true, of.secret
	n.scalar = hidden
	if of.list {
		n.scalar, n.list = nil, []*node{{path: n.path, file: n.file, scalar: hidden}}
	}
	n.spoil()
}

func isFilledText(value any) bool {
	text, is := value.(string)
	return is && text != ""
}

// isTexts tells a list of texts, none of them empty.
func isTexts(value any) bool {
	list, is := value.([]any)
	return is && len(list) > 0 && !slices.ContainsFunc(list, func(each any) bool { return !isFilledText(each) })
}

var (
	// bracesText is ${…}, and $${…} where it is meant as text.
	bracesText = regexp.MustCompile(`\$?\$\{[^}]*\}?`)
	// policyVariable is one of IAM's own, or one of its ways to write a character
	// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html).
	policyVariable = regexp.MustCompile(`^\$\{([A-Za-z0-9-]+:[^}]+|[*?$])\}$`)
)

// unescape refuses ${…} in a text, which nothing replaces, and turns $${…} into it. reader is who replaces it: a shell,
// or IAM in a policy; empty for nobody.
func (r *resolver) unescape(n *node, reader string) {
	text, is := n.scalar.(string)
	if !is || reader == "shell" || n.encrypted {
		return
	}
	n.scalar = bracesText.ReplaceAllStringFunc(text, func(found string) string {
		switch {
		case strings.HasPrefix(found, "$$"):
			return found[1:]
		case reader == "policy" && policyVariable.MatchString(found), r.in.Root == "": // it was taken then
			return found
		}
		if n.hidden {
			found = "${…}"
		}
		r.reject(n, "holds %s, which nothing replaces; declare the value in outputs and write {output: NAME} for the "+
			"whole text, or $%[1]s where the text itself is meant", found)
		return found
	})
}
