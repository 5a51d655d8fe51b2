package scaling

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
)

// value is a metric's latest value; not known where CloudWatch has no data.
type value struct {
	number float64
	known  bool
}

func truth(is bool) value {
	if is {
		return value{1, true}
	}
	return value{0, true}
}

// evaluate works out an expression of metric math of one point in time: arithmetic, comparisons, IF and FILL, which are
// written as in Go. Where an operand has no data, or a divisor is 0, there is none.
func evaluate(expression string, metric func(id string) (value, error)) (value, error) {
	parsed, err := parser.ParseExpr(expression)
	if err != nil {
		return value{}, fmt.Errorf("the sandbox cannot read it: %w", err)
	}
	var of func(ast.Expr) (value, error)
	all := func(expressions ...ast.Expr) (values []value, err error) {
		for _, each := range expressions {
			v, err := of(each)
			if err != nil {
				return nil, err
			}
			values = append(values, v)
		}
		return values, nil
	}
	of = func(e ast.Expr) (value, error) {
		switch e := e.(type) {
		case *ast.ParenExpr:
			return of(e.X)
		case *ast.Ident:
			return metric(e.Name)
		case *ast.BasicLit:
			number, err := strconv.ParseFloat(e.Value, 64)
			return value{number, true}, err
		case *ast.BinaryExpr:
			operands, err := all(e.X, e.Y)
			if err != nil {
				return value{}, err
			}
			return operate(e.Op, operands[0], operands[1])
		case *ast.CallExpr:
			return call(e, of, all)
		}
		return value{}, fmt.Errorf("the sandbox knows no %T", e)
	}
	return of(parsed)
}

func operate(operator token.Token, x, y value) (value, error) {
	result := value{known: x.known && y.known}
	switch operator {
	case token.ADD:
		result.number = x.number + y.number
	case token.SUB:
		result.number = x.number - y.number
	case token.MUL:
		result.number = x.number * y.number
	case token.QUO:
		if result.known = result.known && y.number != 0; result.known {
			result.number = x.number / y.number
		}
	case token.GTR:
		result.number = truth(x.number > y.number).number
	case token.LSS:
		result.number = truth(x.number < y.number).number
	case token.EQL:
		result.number = truth(x.number == y.number).number
	default:
		return value{}, fmt.Errorf("the sandbox knows no operator %s", operator)
	}
	return result, nil
}

func call(e *ast.CallExpr, of func(ast.Expr) (value, error), all func(...ast.Expr) ([]value, error)) (value, error) {
	function, _ := e.Fun.(*ast.Ident)
	switch {
	case function != nil && function.Name == "IF" && len(e.Args) == 3:
		values, err := all(e.Args...)
		if err != nil || !values[0].known {
			return value{}, err
		}
		if values[0].number != 0 {
			return values[1], nil
		}
		return values[2], nil
	case function != nil && function.Name == "FILL" && len(e.Args) == 2:
		x, err := of(e.Args[0])
		if filler, is := e.Args[1].(*ast.Ident); err != nil || x.known || is && filler.Name == "REPEAT" {
			return x, err // of one point in time there is nothing to repeat
		}
		return of(e.Args[1])
	}
	return value{}, fmt.Errorf("the sandbox knows IF and FILL only")
}
