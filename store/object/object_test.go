package object_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/store/object"
	"gatehouse/store/object/objecttest"

	"github.com/minio/minio-go/v7"
)

type noSecrets struct{}

func (noSecrets) Secret(string) (gatehouse.Secret, bool) { return "", false }

func open(t *testing.T, target string, secrets gatehouse.Secrets) gatehouse.ObjectTarget {
	t.Helper()
	o, err := object.Open(target, secrets)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if gatehouse.ErrorCode(err) != code {
		t.Errorf("error %v, want the code %s", err, code)
	}
}

// Both kinds of target keep the same promises.
func TestTargets(t *testing.T) {
	t.Run("directory", func(t *testing.T) { conformance(t, open(t, filepath.Join(t.TempDir(), "made"), noSecrets{})) })
	t.Run("s3", func(t *testing.T) {
		s := objecttest.Start(t)
		s.Bucket(t, "plain", false)
		s.Bucket(t, "locking", true)
		t.Run("plain", func(t *testing.T) { conformance(t, open(t, s.URL("plain", "some/prefix"), s)) })
		t.Run("locking", func(t *testing.T) { conformance(t, open(t, s.URL("locking", ""), s)) })
	})
}

func conformance(t *testing.T, o gatehouse.ObjectTarget) {
	ctx, until := t.Context(), time.Now().Add(time.Hour)
	large := bytes.Repeat([]byte("0123456789abcdef"), 5<<20/16)
	for name, b := range map[string][]byte{"b/2": []byte("two"), "b/1": {}, "a": []byte("one"), "b/10/x.json": large, "bb": []byte("b")} {
		if err := o.Put(ctx, name, b, until); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, err := o.Get(ctx, name); err != nil || !bytes.Equal(got, b) {
			t.Errorf("%s came back as %d bytes, %v", name, len(got), err)
		}
		if err := o.Put(ctx, name, b, until); err != nil {
			t.Errorf("%s could not be put again: %v", name, err)
		}
		wantCode(t, o.Put(ctx, name, append([]byte("x"), b...), until), "backup.exists")
		if got, err := o.Get(ctx, name); err != nil || !bytes.Equal(got, b) {
			t.Errorf("%s was overwritten: %v", name, err)
		}
	}
	for prefix, want := range map[string]string{"": "a b/1 b/10/x.json b/2 bb", "b/": "b/1 b/10/x.json b/2", "b/1": "b/1 b/10/x.json", "none/": ""} {
		var got []string
		if err := o.List(ctx, prefix, func(found gatehouse.Object) error { got = append(got, found.Name); return nil }); err != nil {
			t.Error(err)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("under %q are %v, want %s", prefix, got, want)
		}
	}
	if err := o.Keep(ctx, "a", until.Add(time.Minute)); err != nil {
		t.Errorf("kept longer: %v", err)
	}
	wantCode(t, o.Keep(ctx, "../a", until), "backup.name")
	_, err := o.Get(ctx, "b/nothing")
	wantCode(t, err, "backup.not_found")
	for _, name := range []string{"", "../x", "b/../../x", "/x", "B", "b//x", ".tmp-1", strings.Repeat("a", 300)} {
		wantCode(t, o.Put(ctx, name, nil, until), "backup.name")
	}
	stopped, stop := context.WithCancel(ctx)
	stop()
	if err := o.Put(stopped, "late", nil, until); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled put: %v", err)
	}
	if shown := o.String(); strings.Contains(shown, "secret") || strings.Contains(shown, "access") {
		t.Errorf("the target shows %s", shown)
	}
}

// A thief of the server has the backup's credential: it deletes nothing, overwrites
// nothing and shortens nothing.
func TestTheCredentialCanOnlyAdd(t *testing.T) {
	s := objecttest.Start(t)
	for _, locks := range []bool{false, true} {
		bucket := map[bool]string{false: "plain", true: "locking"}[locks]
		s.Bucket(t, bucket, locks)
		o := open(t, s.URL(bucket, ""), s)
		ctx := t.Context()
		if err := o.Put(ctx, "kept", []byte("bundle"), time.Now().Add(14*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if err := s.User.RemoveObject(ctx, bucket, "kept", minio.RemoveObjectOptions{}); err == nil {
			t.Errorf("%s: the backup's credential deleted an object", bucket)
		}
		if !locks {
			continue
		}
		info, err := s.Root.StatObject(ctx, bucket, "kept", minio.StatObjectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		until, err := time.Parse(time.RFC3339, info.Metadata.Get("X-Amz-Object-Lock-Retain-Until-Date"))
		if err != nil || time.Until(until) < 13*24*time.Hour {
			t.Errorf("the object is not locked for 14 days: %v %v", until, err)
		}
		soon, compliance := time.Now().Add(time.Minute), minio.Compliance
		err = s.User.PutObjectRetention(ctx, bucket, "kept", minio.PutObjectRetentionOptions{Mode: &compliance, RetainUntilDate: &soon, GovernanceBypass: true})
		if err == nil {
			t.Error("the backup's credential shortened a lock")
		}
		// It may keep an object longer, and that is all.
		if err := o.Keep(ctx, "kept", time.Now().AddDate(0, 3, 0)); err != nil {
			t.Fatal(err)
		}
		if info, err = s.Root.StatObject(ctx, bucket, "kept", minio.StatObjectOptions{}); err != nil {
			t.Fatal(err)
		}
		if until, err = time.Parse(time.RFC3339, info.Metadata.Get("X-Amz-Object-Lock-Retain-Until-Date")); err != nil || time.Until(until) < 80*24*time.Hour {
			t.Errorf("the object is not locked for three months: %v %v", until, err)
		}
		// Not even the storage's administrator takes a locked version away.
		if err := s.Root.RemoveObject(ctx, bucket, "kept", minio.RemoveObjectOptions{VersionID: info.VersionID, GovernanceBypass: true}); err == nil {
			t.Error("a locked version was deleted")
		}
	}
}

// Refusals are one clear sentence with a code, and name no secret.
func TestS3Refusals(t *testing.T) {
	s := objecttest.Start(t)
	s.Bucket(t, "plain", false)
	if err := s.Root.MakeBucket(t.Context(), "foreign", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	wantCode(t, open(t, s.URL("foreign", ""), s).Put(t.Context(), "x", nil, time.Time{}), "backup.denied")
	_, err := object.Open(s.URL("plain", ""), noSecrets{})
	wantCode(t, err, "backup.secret")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	gone := open(t, "s3://127.0.0.1:1/plain?access=x&tls=off", s)
	wantCode(t, gone.Put(ctx, "x", nil, time.Time{}), "backup.unreachable")
	// The storage changes what it keeps: reading back finds it, writing again too.
	o := open(t, s.URL("plain", ""), s)
	if err := o.Put(t.Context(), "y", []byte("as it was"), time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.Dir, "plain", "y"), []byte("as it is!"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantCode(t, o.Put(t.Context(), "y", []byte("as it was"), time.Time{}), "backup.exists")
}

// A storage that gives back other bytes than it was given is found at once.
func TestALyingTarget(t *testing.T) {
	s := objecttest.Start(t)
	s.Bucket(t, "plain", false)
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", s.Host, r.In.Host
		},
		ModifyResponse: func(r *http.Response) error {
			if r.Request.Method != http.MethodGet || !strings.HasSuffix(r.Request.URL.Path, "/false") {
				return nil
			}
			b, err := io.ReadAll(r.Body)
			if len(b) > 0 {
				b[len(b)/2] ^= 1
			}
			r.Body = io.NopCloser(bytes.NewReader(b))
			return err
		},
	})
	defer proxy.Close()
	target := strings.Replace(s.URL("plain", ""), s.Host, strings.TrimPrefix(proxy.URL, "http://"), 1)
	o := open(t, target, s)
	if err := o.Put(t.Context(), "true", []byte("as it was"), time.Time{}); err != nil {
		t.Fatal(err)
	}
	wantCode(t, o.Put(t.Context(), "false", []byte("as it was"), time.Time{}), "backup.target_lied")
}

func TestNames(t *testing.T) {
	for _, bad := range []string{"", "http://x/y", "s3://", "s3://h", "s3://h/b", "s3://user:pw@h/b?access=x", "s3://h/b/UP?access=x", "s3://h/b?access=x&key=y", "s3://example.com/b?access=x&tls=off"} {
		wantCode(t, object.Check(bad), "backup.target_name")
		_, err := object.Open(bad, noSecrets{})
		wantCode(t, err, "backup.target_name")
	}
	for _, good := range []string{"dir", "/mnt/x", "s3://h:9000/b/p/q?access=x&region=eu-1&secret=s3-keys"} {
		if err := object.Check(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
}

// An object in a directory cannot be written to, and its temporary file is gone.
func TestDirectoryFiles(t *testing.T) {
	dir := t.TempDir()
	o := open(t, dir, noSecrets{})
	if err := o.Put(t.Context(), "a/b", []byte("x"), time.Time{}); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Join(dir, "a"))
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v %v", entries, err)
	}
	if info, _ := entries[0].Info(); info.Mode().Perm() != 0o400 {
		t.Errorf("mode %v", info.Mode())
	}
	if err := object.Prune(dir, "a"); err != nil {
		t.Error(err)
	}
	if _, err := o.Get(t.Context(), "a/b"); gatehouse.ErrorCode(err) != "backup.not_found" {
		t.Error(err)
	}
	for _, bad := range []string{"", "..", "a/b", ".", "/"} {
		wantCode(t, object.Prune(dir, bad), "backup.target_name")
	}
}

// A target whose disk is full says so, and nothing half-written has a name.
func TestFullDirectory(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting a small file system needs root")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skip("no small file system can be mounted here:", err)
	}
	defer func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) }()
	o := open(t, dir, noSecrets{})
	wantCode(t, o.Put(t.Context(), "x", make([]byte, 1<<20), time.Time{}), "backup.target_full")
	_, err := o.Get(t.Context(), "x")
	wantCode(t, err, "backup.not_found")
}
