package parking

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Whatever may be wrong with a tariff, here or where its file is read, is said in both
// languages, with the same arguments in the same order.
func TestEveryProblemIsSaid(t *testing.T) {
	var files []string
	for _, dir := range []string{".", "../../tariff"} {
		all, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, all...)
	}
	used := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name, at := "", 2 // of which argument is the reason
			switch f := call.Fun.(type) {
			case *ast.Ident:
				name = f.Name
			case *ast.SelectorExpr:
				name = f.Sel.Name
			}
			switch name {
			case "say", "Wrong":
			case "Unwritten":
				at = 0
			default:
				return true
			}
			if l, ok := call.Args[at].(*ast.BasicLit); ok {
				format, err := strconv.Unquote(l.Value)
				if err != nil {
					t.Fatal(err)
				}
				used[format] = true
			}
			return true
		})
	}
	if len(used) < 60 {
		t.Fatalf("only %d reasons were found", len(used))
	}
	verb := regexp.MustCompile(`%[a-z]`)
	for format := range used {
		words, ok := chinese[format]
		if !ok {
			t.Errorf("not said in Chinese: %q", format)
		}
		if a, b := strings.Join(verb.FindAllString(format, -1), ""), strings.Join(verb.FindAllString(words, -1), ""); ok && a != b {
			t.Errorf("%q has the arguments %s, in Chinese %s", format, a, b)
		}
	}
}
