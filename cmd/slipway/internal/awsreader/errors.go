package awsreader

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/smithy-go"
)

// IsCode tells an error of AWS by its code, whether the SDK has a type for it or not.
func IsCode(err error, codes ...string) bool {
	var refusal smithy.APIError
	return errors.As(err, &refusal) && slices.Contains(codes, refusal.ErrorCode())
}

// Reason is why AWS did not answer, without what the SDK adds for its developers, and what to do.
func Reason(err error) string {
	call := ""
	if operation := (*smithy.OperationError)(nil); errors.As(err, &operation) {
		call, err = operation.Service()+" "+operation.Operation(), operation.Err
	}
	if refusal := (smithy.APIError)(nil); errors.As(err, &refusal) {
		return fmt.Sprintf("%s refused: %s: %s; let your own credentials make that call, or try again", cmp.Or(call, "AWS"),
			refusal.ErrorCode(), refusal.ErrorMessage())
	}
	if call == "" {
		return fmt.Sprintf("%s; try again", err)
	}
	return fmt.Sprintf("%s: %s; try again", call, err)
}
