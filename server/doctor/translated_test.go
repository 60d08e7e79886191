package doctor

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gatehouse/console"
)

// spoken collects the texts of an expression: literals, joined ones, and both sides of said.
func spoken(e ast.Expr, say func(string)) {
	switch x := e.(type) {
	case *ast.BasicLit:
		if s, err := strconv.Unquote(x.Value); x.Kind == token.STRING && err == nil && s != "" && s != ")" {
			say(s)
		}
	case *ast.BinaryExpr:
		if x.Op == token.ADD {
			spoken(x.X, say)
			spoken(x.Y, say)
		}
	case *ast.CallExpr:
		if f, ok := x.Fun.(*ast.Ident); ok && f.Name == "said" {
			spoken(x.Args[1], say)
			spoken(x.Args[2], say)
		}
	}
}

// Whatever the doctor says, the console can say in Chinese.
func TestWhatIsSaidIsTranslated(t *testing.T) {
	names, _ := filepath.Glob("*.go")
	texts := 0
	say := func(s string) {
		if texts++; !console.DoctorKnows(s) {
			t.Errorf("console/strings_doctor.go does not have %q", s)
		}
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch x := n.(type) {
			case *ast.CallExpr:
				f, ok := x.Fun.(*ast.SelectorExpr)
				if ok && (f.Sel.Name == "add" || f.Sel.Name == "judge" || f.Sel.Name == "notRunning") {
					for _, a := range x.Args {
						spoken(a, say)
					}
				}
			case *ast.AssignStmt: // what is put together before it is said
				for i, to := range x.Lhs {
					if id, ok := to.(*ast.Ident); ok && i < len(x.Rhs) && (id.Name == "do" || id.Name == "reason") {
						spoken(x.Rhs[i], say)
					}
				}
			}
			return true
		})
	}
	if texts < 150 {
		t.Errorf("only %d texts were found", texts)
	}
}
