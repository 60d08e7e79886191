package auth

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestARouteWithoutAPolicyIsRefused(t *testing.T) {
	a, _ := fixture()
	ok := func(http.ResponseWriter, *http.Request) {}
	for name, r := range map[string]Route{
		"no policy":       {Pattern: "GET /x", Handler: ok},
		"made up":         {Pattern: "GET /x", Policy: Policy{name: "anyone"}, Handler: ok},
		"no permission":   {Pattern: "GET /x", Policy: Needs(""), Handler: ok},
		"made-up right":   {Pattern: "GET /x", Policy: Needs("everything"), Handler: ok},
		"no method":       {Pattern: "/x", Policy: Public, Handler: ok},
		"no handler":      {Pattern: "GET /x", Policy: Public},
		"no pattern":      {Policy: Public, Handler: ok},
		"socket, unnamed": {Pattern: "POST /admin", Handler: ok},
	} {
		t.Run(name, func(t *testing.T) {
			for _, where := range []Listener{TCP, Socket} {
				func() {
					defer func() {
						if recover() == nil {
							t.Error("it was taken into a server")
						}
					}()
					a.Handler(where, []Route{r}, refuse)
				}()
			}
		})
	}
}

// A handler that is hung into a mux of its own would stand outside of the table of
// routes and its policies. So there is one place that may make a mux.
func TestNoHandlerStandsOutsideTheTable(t *testing.T) {
	root := ".."
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != root || d.Name() == "third_party" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		rel, _ := filepath.Rel(root, path)
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || rel == filepath.Join("auth", "routes.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil // the compiler says it better
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "http" {
					switch s.Sel.Name {
					case "NewServeMux", "ServeMux", "DefaultServeMux", "Handle", "HandleFunc":
						t.Errorf("%s uses http.%s: put the route into the table with its auth.Policy", rel, s.Sel.Name)
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
