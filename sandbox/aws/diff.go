package aws

import (
	"context"
	"maps"
	"reflect"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// difference compares what a resource is (its outputs) with what it should be (checked inputs).
type difference struct {
	detailed map[string]*pulumirpc.PropertyDiff
	keys     []string // the top-level properties that differ, sorted
	replaces []string
	stables  []string
}

const (
	added   = pulumirpc.PropertyDiff_ADD
	deleted = pulumirpc.PropertyDiff_DELETE
	updated = pulumirpc.PropertyDiff_UPDATE
)

func (ps properties) diff(olds, news values) difference {
	d := difference{detailed: map[string]*pulumirpc.PropertyDiff{}}
	for _, key := range ps.names() {
		p := ps[key]
		if p.output || p.silent {
			continue
		}
		before := len(d.detailed)
		old, value := plain(olds[key]), plain(news[key])
		if value != nil || !(p.computed || p.kept) {
			d.compare(resource.PropertyPath{key}, p, old, value, p.replaces)
		}
		switch changed := len(d.detailed) > before; {
		case changed && p.replaces:
			d.replaces = append(d.replaces, key)
		case p.replaces:
			d.stables = append(d.stables, key)
		}
		if len(d.detailed) > before {
			d.keys = append(d.keys, key)
		}
	}
	return d
}

func (d *difference) add(path resource.PropertyPath, kind pulumirpc.PropertyDiff_Kind, replaces bool) {
	if replaces {
		kind++ // each kind is followed by its _REPLACE
	}
	d.detailed[path.String()] = &pulumirpc.PropertyDiff{Kind: kind}
}

func (d *difference) compare(path resource.PropertyPath, p property, old, value any, replaces bool) {
	switch {
	case value == nil:
		if !isEmpty(old) {
			d.add(path, deleted, replaces)
		}
		return
	case isUnknown(value) && old != nil:
		d.add(path, updated, replaces)
		return
	case old == nil:
		if !isEmpty(canonical(value)) || p.fields != nil && isBlock(value) { // {enabled: false} where nothing was
			d.add(path, added, replaces)
		}
		return
	}
	switch value := value.(type) {
	case string:
		if before, ok := old.(string); ok && p.same != nil && p.same(before, value) {
			return
		}
	case values:
		if before, ok := old.(values); ok && !reflect.DeepEqual(p.report(nil, value, false), unknown) {
			d.compareFields(path, p, before, value, replaces)
			return
		}
	case []any:
		if before, ok := old.([]any); ok {
			d.compareLists(path, p, before, value, replaces)
			return
		}
	}
	if !reflect.DeepEqual(old, value) {
		d.add(path, updated, replaces)
	}
}

// isBlock tells an object of which anything is given, be it false: it counts as one where there was none.
func isBlock(value any) bool {
	object, is := value.(values)
	_, defaults := object[defaultsKey]
	return is && (len(object) > 1 || len(object) == 1 && !defaults)
}

func (d *difference) compareFields(path resource.PropertyPath, p property, old, value values, replaces bool) {
	keys := maps.Clone(old)
	maps.Copy(keys, value)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		field := p.fields[key]
		if field.with != "" && value[field.with] == false {
			continue
		}
		if key == defaultsKey || value[key] == nil && (field.computed || field.kept) {
			continue
		}
		d.compare(append(slices.Clone(path), key), field, old[key], value[key], replaces)
	}
}

func (d *difference) compareLists(path resource.PropertyPath, p property, old, value []any, replaces bool) {
	if p.set {
		d.compareSets(path, p, old, value, replaces)
		return
	}
	for i := range max(len(old), len(value)) {
		var before, after any
		if i < len(old) {
			before = old[i]
		}
		if i < len(value) {
			after = value[i]
		}
		d.compare(append(slices.Clone(path), i), property{fields: p.fields}, before, after, replaces)
	}
}

// compareSets names the places in the old list of what is gone, and those in the new one of what has come.
func (d *difference) compareSets(path resource.PropertyPath, p property, old, value []any, replaces bool) {
	// What is in the elements is put as a state has it: sets in order, defaults filled in.
	reported := func(list []any) (found []string) {
		for _, element := range list {
			found = append(found, toJSON(canonical(property{fields: p.fields}.report(nil, element, false))))
		}
		return found
	}
	one, other := reported(old), reported(value)
	switch {
	case len(one) == 0 && len(other) > 0:
		d.add(path, added, replaces)
		return
	case len(other) == 0 && len(one) > 0:
		d.add(path, deleted, replaces)
		return
	case p.values() && slices.ContainsFunc(value, isUnknown):
		d.add(path, updated, replaces)
		return
	}
	kept := func(element string) bool { return slices.Contains(other, element) }
	if len(one) != len(other) && !slices.ContainsFunc(one, kept) {
		d.add(path, updated, replaces)
		return
	}
	for i := range max(len(one), len(other)) {
		gone := i < len(one) && !slices.Contains(other, one[i])
		came := i < len(other) && !slices.Contains(one, other[i])
		switch at := append(slices.Clone(path), i); {
		case gone && came:
			d.add(at, updated, replaces)
		case gone:
			d.add(at, deleted, replaces)
		case came:
			d.add(at, added, replaces)
		}
	}
}

func (s *server) Diff(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	kind, err := findType(string(urn.URN(req.GetUrn()).Type()))
	if err != nil {
		return nil, err
	}
	olds, news := req.GetOlds().AsMap(), req.GetNews().AsMap()
	ignore(req.GetIgnoreChanges(), olds, news)
	d := kind.properties.diff(olds, news)
	if kind.differ != nil {
		kind.differ(olds, news, &d)
	}
	response := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE, Replaces: d.replaces,
		Stables: d.stables,
		Diffs:   d.keys, DetailedDiff: d.detailed, HasDetailedDiff: true}
	if len(d.keys) > 0 {
		response.Changes = pulumirpc.DiffResponse_DIFF_SOME
	}
	// Two things of one name cannot exist side by side, so one with a name of the program's own goes first, also where the
	// name changes.
	ownName := kind.autoname && !slices.Contains(textList(news[defaultsKey]), "name")
	response.DeleteBeforeReplace = len(d.replaces) > 0 && (ownName || kind.deleteBeforeReplace)
	return response, nil
}

// ignore keeps what a resource has where the program ignores changes, even ones that were made outside of it.
func ignore(paths []string, olds, news values) {
	for _, key := range paths {
		old, had := olds[key]
		if _, secret := reveal(news[key]); secret {
			old = conceal(plain(old))
		}
		if had {
			news[key] = old
		}
	}
}
