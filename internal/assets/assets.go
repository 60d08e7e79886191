// Package assets serves the files that a program carries: styles, scripts and icons that
// are the same for everybody.
package assets

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
)

// Set is files by their base names, which must differ.
type Set map[string]file

type file struct {
	body   []byte
	zipped []byte // gzip
	kind   string
	tag    string
}

var kinds = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
	".webmanifest": "application/manifest+json"}

// Load reads the files of a tree whose kind a browser takes; others, such as licences, are
// carried and not served. It panics where the tree cannot be read: it is part of the
// program.
func Load(tree fs.FS) Set {
	s := Set{}
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		kind := kinds[path.Ext(name)]
		if err != nil || d.IsDir() || kind == "" {
			return err
		}
		body, err := fs.ReadFile(tree, name)
		s[path.Base(name)] = file{body: body, zipped: zipped(body), kind: kind, tag: Tag(body)}
		return err
	})
	if err != nil {
		panic(err)
	}
	return s
}

// Tag is a short name of contents: others have another.
func Tag(body ...[]byte) string {
	h := sha256.New()
	for _, b := range body {
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Tag is the tag of a file; "" where there is none.
func (s Set) Tag(name string) string { return s[name].tag }

// Whole is a tag of all files together.
func (s Set) Whole() string {
	var all []byte
	for _, name := range slices.Sorted(maps.Keys(s)) {
		all = append(all, name+" "+s[name].tag+"\n"...)
	}
	return Tag(all)
}

func zipped(body []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // fails for unknown levels only
	_, _ = w.Write(body)                                  // to memory
	_ = w.Close()
	return b.Bytes()
}

// Serve answers with a file. An address that carries the file's tag (?v=TAG) may be kept;
// others are asked for again each time. Only such files are compressed: a page that shows
// what somebody sent beside what is personal would tell of it by its length.
func (s Set) Serve(w http.ResponseWriter, r *http.Request, name string) {
	f, ok := s[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.kind)
	if r.URL.Query().Get("v") == f.tag {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		w.Header().Set("Cache-Control", "no-cache")
	}
	w.Header().Add("Vary", "Accept-Encoding")
	body, tag := f.body, f.tag
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		body, tag = f.zipped, f.tag+"-gz"
	}
	w.Header().Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}
