package instances

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Architectures of instances and of images, as EC2 calls them.
const (
	X86   = "x86_64"
	ARM64 = "arm64"
)

// Type is one instance type.
type Type struct {
	Name         string
	VCPU         int
	Memory       int // MiB
	ENIs         int // network interfaces: one is the instance's own
	Architecture string
}

// CPU are its units of ECS.
func (t Type) CPU() int { return t.VCPU * 1024 }

// RegisteredMemory is what ECS has of its memory for tasks: the kernel keeps some of it for itself.
func (t Type) RegisteredMemory() int { return t.Memory*96/100 - 48 }

// size is a size that all families of a kind have.
type size struct {
	name       string
	vcpu, enis int
}

// family are instance types that differ in their size alone.
type family struct {
	names        string // with spaces between them
	architecture string
	perCPU       int // GiB of memory
	sizes        []size
}

var (
	usual = []size{{"large", 2, 3}, {"xlarge", 4, 4}, {"2xlarge", 8, 4}, {"4xlarge", 16, 8}, {"8xlarge", 32, 8},
		{"12xlarge", 48, 8}, {"16xlarge", 64, 15}}
	withMedium = append([]size{{"medium", 1, 2}}, usual...)
)

// families are the general, compute and memory ones of today
// (https://docs.aws.amazon.com/ec2/latest/instancetypes/gp.html).
var families = []family{
	{"m5 m5a m6a m6i m7a m7i m8i", X86, 4, usual}, {"m6g m7g m8g", ARM64, 4, withMedium},
	{"c5a c6a c6i c7a c7i c8i", X86, 2, usual}, {"c6g c7g c8g", ARM64, 2, withMedium},
	{"r5 r5a r6a r6i r7a r7i r8i", X86, 8, usual}, {"r6g r7g r8g", ARM64, 8, withMedium},
}

// burstable are the sizes of t3, t3a and t4g, with their memory in MiB.
var burstable = []Type{{"nano", 2, 512, 2, ""}, {"micro", 2, 1024, 2, ""}, {"small", 2, 2048, 3, ""},
	{"medium", 2, 4096, 3, ""}, {"large", 2, 8192, 3, ""}, {"xlarge", 4, 16384, 4, ""}, {"2xlarge", 8, 32768, 4, ""}}

// types are the instance types that the sandbox has, by name.
var types = func() map[string]Type {
	all := map[string]Type{}
	for _, each := range families {
		for name := range strings.FieldsSeq(each.names) {
			for _, size := range each.sizes {
				full := name + "." + size.name
				all[full] = Type{full, size.vcpu, size.vcpu * each.perCPU * 1024, size.enis, each.architecture}
			}
		}
	}
	for name, architecture := range map[string]string{"t3": X86, "t3a": X86, "t4g": ARM64} {
		for _, size := range burstable {
			size.Name, size.Architecture = name+"."+size.Name, architecture
			all[size.Name] = size
		}
	}
	return all
}()

// FindType finds an instance type by its name.
func FindType(name string) (Type, bool) {
	found, is := types[name]
	return found, is
}

// smallestFirst are all types, the smaller ones first: what fits is taken by price, which follows from the size.
func smallestFirst() []Type {
	return slices.SortedFunc(maps.Values(types), func(x, y Type) int {
		return cmp.Or(cmp.Compare(x.VCPU, y.VCPU), cmp.Compare(x.Memory, y.Memory), cmp.Compare(x.Name, y.Name))
	})
}
