package payroll

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math/big"

	"gatehouse"
)

// A formula is arithmetic and nothing else:
//
//	min(300, hours("night") * 2.50)
//	when(days >= 20, meal * days, 0)
//	gross * 5 / 100
//
// It is read by Go's own parser and reckoned in exact fractions: no rounding before the
// amount, and no result that depends on a machine. There is no loop, no assignment and no
// call besides those below. Names: rate (of an hour), salary, gross (of the lines before),
// deductions, days, and the scheme's parameters. Functions: hours(code), pay(code), min, max,
// and when(condition, then, else). Amounts are in whole units of the currency.

// The bounds of a formula: what is longer or deeper is refused before it is reckoned.
const (
	maxFormula = 500
	maxNesting = 40
	// maxBits bounds numerator and denominator, so that a product of products stays small.
	maxBits = 512
)

// env is what formulas see.
type env struct {
	in                Input
	pays              map[gatehouse.EarningsCode]gatehouse.Money
	gross, deductions *gatehouse.Money
}

// value is a number or a truth.
type value struct {
	n     *big.Rat // nil for a truth
	truth bool
}

// CheckFormula says why a formula cannot be read; nil if it can. A name is a parameter
// until it is reckoned.
func CheckFormula(text string) error {
	x, err := parse(text)
	if err != nil {
		return err
	}
	return check(x, 0)
}

func parse(text string) (ast.Expr, error) {
	if len(text) == 0 || len(text) > maxFormula {
		return nil, fmt.Errorf("a formula has 1 to %d characters", maxFormula)
	}
	x, err := parser.ParseExpr(text)
	if err != nil {
		return nil, fmt.Errorf("this is no formula")
	}
	return x, nil
}

// functions are those that there are, with how many arguments they take; -1: one or more.
var functions = map[string]int{"min": -1, "max": -1, "when": 3, "hours": 1, "pay": 1}

func check(x ast.Expr, depth int) error {
	if depth > maxNesting {
		return fmt.Errorf("a formula is nested at most %d deep", maxNesting)
	}
	switch x := x.(type) {
	case *ast.ParenExpr:
		return check(x.X, depth+1)
	case *ast.BasicLit:
		if x.Kind != token.INT && x.Kind != token.FLOAT || !plain(x.Value) {
			return fmt.Errorf("a number is written as 12 or 12.50")
		}
		return nil
	case *ast.Ident:
		return nil
	case *ast.UnaryExpr:
		if x.Op != token.SUB && x.Op != token.NOT {
			return fmt.Errorf("%s is no operation of formulas", x.Op)
		}
		return check(x.X, depth+1)
	case *ast.BinaryExpr:
		switch x.Op {
		case token.ADD, token.SUB, token.MUL, token.QUO, token.LSS, token.LEQ, token.GTR, token.GEQ, token.EQL, token.NEQ, token.LAND, token.LOR:
		default:
			return fmt.Errorf("%s is no operation of formulas", x.Op)
		}
		if err := check(x.X, depth+1); err != nil {
			return err
		}
		return check(x.Y, depth+1)
	case *ast.CallExpr:
		return checkCall(x, depth)
	}
	return fmt.Errorf("a formula has numbers, names, + - * /, comparisons, and the functions min, max, when, hours and pay")
}

func checkCall(x *ast.CallExpr, depth int) error {
	name, ok := x.Fun.(*ast.Ident)
	if !ok || x.Ellipsis.IsValid() {
		return fmt.Errorf("only functions are called")
	}
	n, ok := functions[name.Name]
	if !ok {
		return fmt.Errorf("there is no such function")
	}
	if n >= 0 && len(x.Args) != n || len(x.Args) == 0 {
		return fmt.Errorf("%s has another number of arguments", name.Name)
	}
	if name.Name == "hours" || name.Name == "pay" {
		if lit, ok := x.Args[0].(*ast.BasicLit); !ok || lit.Kind != token.STRING || len(lit.Value) < 3 || gatehouse.CheckName(lit.Value[1:len(lit.Value)-1]) != nil {
			return fmt.Errorf("%s takes a code in quotes", name.Name)
		}
		return nil
	}
	for _, a := range x.Args {
		if err := check(a, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// plain reports whether a number is written with digits and a point alone: no exponent
// that makes it huge, no underscore, no other base.
func plain(s string) bool {
	if len(s) > 1 && s[0] == '0' && s[1] != '.' {
		return false
	}
	for _, c := range s {
		if (c < '0' || c > '9') && c != '.' {
			return false
		}
	}
	return true
}

// reckon gives a formula's amount in minor units.
func (e *env) reckon(text string, c gatehouse.Currency, r gatehouse.Rounding) (int64, error) {
	x, err := parse(text)
	if err != nil {
		return 0, err
	}
	if err := check(x, 0); err != nil {
		return 0, err
	}
	v, err := e.eval(x)
	if err != nil {
		return 0, err
	}
	if v.n == nil {
		return 0, fmt.Errorf("the formula is a condition, not an amount")
	}
	n, ok := round(new(big.Rat).Mul(v.n, scale(c)), r)
	if !ok {
		return 0, tooLarge()
	}
	return n, nil
}

// round is what gatehouse.MulDiv does, of a fraction of any size.
func round(n *big.Rat, r gatehouse.Rounding) (int64, bool) {
	q, rest := new(big.Int).QuoRem(new(big.Int).Abs(n.Num()), n.Denom(), new(big.Int))
	half := new(big.Int).Lsh(rest, 1).Cmp(n.Denom())
	up := false
	switch r {
	case gatehouse.RoundDown:
	case gatehouse.RoundUp:
		up = rest.Sign() > 0
	case gatehouse.RoundHalfUp:
		up = half >= 0
	case gatehouse.RoundHalfEven:
		up = half > 0 || half == 0 && q.Bit(0) == 1
	default:
		return 0, false
	}
	if up {
		q.Add(q, big.NewInt(1))
	}
	if !q.IsInt64() || q.Int64() > gatehouse.MaxMinor {
		return 0, false
	}
	if n.Sign() < 0 {
		return -q.Int64(), true
	}
	return q.Int64(), true
}

// scale is how many minor units a whole one has.
func scale(c gatehouse.Currency) *big.Rat {
	digits, _ := c.Exponent()
	n := int64(1)
	for range digits {
		n *= 10
	}
	return big.NewRat(n, 1)
}

func amount(m gatehouse.Money) value {
	if m.Currency == "" {
		return value{n: new(big.Rat)}
	}
	return value{n: new(big.Rat).Quo(new(big.Rat).SetInt64(m.Minor), scale(m.Currency))}
}

func (e *env) eval(x ast.Expr) (value, error) {
	switch x := x.(type) {
	case *ast.ParenExpr:
		return e.eval(x.X)
	case *ast.BasicLit:
		n, ok := new(big.Rat).SetString(x.Value)
		if !ok {
			return value{}, fmt.Errorf("a number is written as 12 or 12.50")
		}
		return bounded(n)
	case *ast.Ident:
		return e.name(x.Name)
	case *ast.UnaryExpr:
		v, err := e.eval(x.X)
		switch {
		case err != nil:
			return value{}, err
		case x.Op == token.NOT && v.n == nil:
			return value{truth: !v.truth}, nil
		case x.Op == token.SUB && v.n != nil:
			return value{n: new(big.Rat).Neg(v.n)}, nil
		}
		return value{}, mixed()
	case *ast.BinaryExpr:
		return e.binary(x)
	case *ast.CallExpr:
		return e.call(x)
	}
	return value{}, fmt.Errorf("this is no formula")
}

func mixed() error { return fmt.Errorf("a condition and a number do not go together") }

func bounded(n *big.Rat) (value, error) {
	if n.Num().BitLen() > maxBits || n.Denom().BitLen() > maxBits {
		return value{}, fmt.Errorf("a number is too large")
	}
	return value{n: n}, nil
}

func (e *env) name(name string) (value, error) {
	switch name {
	case "rate":
		return e.mean(func(s Stretch) (*big.Rat, bool) {
			return new(big.Rat).Mul(amount(s.Rate.Amount).n, big.NewRat(60, s.Rate.Per)), true
		})
	case "salary":
		return e.mean(func(s Stretch) (*big.Rat, bool) { return amount(s.Salary).n, true })
	case "gross":
		return amount(*e.gross), nil
	case "deductions":
		return amount(e.deductions.Neg()), nil
	case "days":
		return value{n: big.NewRat(int64(e.in.Days), 1)}, nil
	}
	return e.mean(func(s Stretch) (*big.Rat, bool) {
		p, ok := s.Parameters[name]
		return amount(p).n, ok
	})
}

// mean is a value by the days that it had within the period; where it did not change,
// itself.
func (e *env) mean(of func(Stretch) (*big.Rat, bool)) (value, error) {
	sum, days := new(big.Rat), int64(0)
	for _, s := range e.in.Stretches {
		n, ok := of(s)
		if !ok {
			return value{}, fmt.Errorf("there is no figure of that name")
		}
		sum.Add(sum, new(big.Rat).Mul(n, big.NewRat(s.days(), 1)))
		days += s.days()
	}
	return bounded(sum.Quo(sum, big.NewRat(max(days, 1), 1)))
}

func (e *env) binary(x *ast.BinaryExpr) (value, error) {
	a, err := e.eval(x.X)
	if err != nil {
		return value{}, err
	}
	b, err := e.eval(x.Y)
	if err != nil {
		return value{}, err
	}
	if x.Op == token.LAND || x.Op == token.LOR {
		if a.n != nil || b.n != nil {
			return value{}, mixed()
		}
		return value{truth: a.truth && b.truth || x.Op == token.LOR && (a.truth || b.truth)}, nil
	}
	if a.n == nil || b.n == nil {
		return value{}, mixed()
	}
	cmp := a.n.Cmp(b.n)
	switch x.Op {
	case token.LSS:
		return value{truth: cmp < 0}, nil
	case token.LEQ:
		return value{truth: cmp <= 0}, nil
	case token.GTR:
		return value{truth: cmp > 0}, nil
	case token.GEQ:
		return value{truth: cmp >= 0}, nil
	case token.EQL:
		return value{truth: cmp == 0}, nil
	case token.NEQ:
		return value{truth: cmp != 0}, nil
	case token.ADD:
		return bounded(new(big.Rat).Add(a.n, b.n))
	case token.SUB:
		return bounded(new(big.Rat).Sub(a.n, b.n))
	case token.MUL:
		return bounded(new(big.Rat).Mul(a.n, b.n))
	}
	if b.n.Sign() == 0 {
		return value{}, fmt.Errorf("something is divided by zero")
	}
	return bounded(new(big.Rat).Quo(a.n, b.n))
}

func (e *env) call(x *ast.CallExpr) (value, error) {
	name := x.Fun.(*ast.Ident).Name
	switch name {
	case "hours", "pay":
		text := x.Args[0].(*ast.BasicLit).Value
		code := gatehouse.EarningsCode(text[1 : len(text)-1])
		if name == "pay" {
			return amount(e.pays[code]), nil
		}
		minutes := int64(0)
		for _, s := range e.in.Stretches {
			for _, t := range s.Totals {
				if t.Code == code {
					minutes += int64(t.Minutes)
				}
			}
		}
		return value{n: big.NewRat(minutes, 60)}, nil
	case "when":
		is, err := e.eval(x.Args[0])
		if err != nil {
			return value{}, err
		}
		if is.n != nil {
			return value{}, mixed()
		}
		if is.truth {
			return e.eval(x.Args[1])
		}
		return e.eval(x.Args[2])
	}
	var best value
	for _, a := range x.Args {
		v, err := e.eval(a)
		if err != nil {
			return value{}, err
		}
		if v.n == nil {
			return value{}, mixed()
		}
		if best.n == nil || name == "min" && v.n.Cmp(best.n) < 0 || name == "max" && v.n.Cmp(best.n) > 0 {
			best = v
		}
	}
	return best, nil
}
