package aws

// schema is as much of the provider's schema as `pulumi import` asks for: which types there are, and which properties
// each has. What type a property has, it leaves open.
func schema() values {
	resources := values{}
	for token, kind := range types {
		inputs, outputs, required := values{}, values{}, []any{}
		for _, name := range kind.properties.names() {
			property := kind.properties[name]
			anything := values{"$ref": "pulumi.json#/Any"}
			outputs[name] = anything
			if !property.output {
				inputs[name] = anything
			}
			if property.required {
				required = append(required, name)
			}
		}
		resources[token] = values{"properties": outputs, "inputProperties": inputs, "requiredInputs": required}
	}
	return values{"name": "aws", "version": Version, "resources": resources}
}
