// Package objecttest gives tests a real S3 storage: versitygw, which `make test`
// installs into .tools, over a directory of its own.
package objecttest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"gatehouse"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// The storage's own administrator, and the backup's user: the first may do anything,
// the second only what a bucket's policy says.
const (
	rootID, rootKey = "storage-root", "storage-root-secret"
	userID, userKey = "backup-user", "backup-user-secret"
)

// S3 is a running storage.
type S3 struct {
	Root *minio.Client // its administrator
	User *minio.Client // the backup's credential
	Dir  string        // where the storage keeps its objects
	Host string        // its address
}

// Secret gives the backup's credential, as gatehouse.Secrets.
func (*S3) Secret(string) (gatehouse.Secret, bool) { return userKey, true }

// URL is the target in a bucket, for the backup's credential.
func (s *S3) URL(bucket, prefix string) string {
	return fmt.Sprintf("s3://%s/%s/%s?access=%s&tls=off", s.Host, bucket, prefix, userID)
}

// Start runs a storage for one test. It skips the test, and says so, where versitygw
// is not installed or the file system keeps no extended attributes.
func Start(t testing.TB) *S3 {
	t.Helper()
	gateway := find()
	if gateway == "" {
		t.Skip("no versitygw here: `make test` installs it into .tools where the module proxy has it")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := listener.Addr().String()
	_ = listener.Close()
	base := t.TempDir()
	for _, d := range []string{"objects", "versions", "users"} {
		if err := os.Mkdir(filepath.Join(base, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s := &S3{Dir: filepath.Join(base, "objects"), Host: host}
	cmd := exec.Command(gateway, "--access", rootID, "--secret", rootKey, "--port", host, "--quiet", "--iam-dir", filepath.Join(base, "users"),
		"posix", "--versioning-dir", filepath.Join(base, "versions"), s.Dir)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	s.Root, s.User = s.client(t, rootID, rootKey), s.client(t, userID, userKey)
	s.waitUntilUp(t, &out)
	made := exec.Command(gateway, "admin", "--access", rootID, "--secret", rootKey, "--endpoint-url", "http://"+host, "create-user", "--access", userID, "--secret", userKey, "--role", "user")
	if b, err := made.CombinedOutput(); err != nil {
		t.Fatalf("the backup's user could not be made: %v: %s", err, b)
	}
	return s
}

func find() string {
	for dir, _ := os.Getwd(); ; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, ".tools", "versitygw")
		if _, err := os.Stat(path); err == nil {
			return path
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	path, _ := exec.LookPath("versitygw")
	return path
}

func (s *S3) client(t testing.TB, id, key string) *minio.Client {
	t.Helper()
	c, err := minio.New(s.Host, &minio.Options{Creds: credentials.NewStaticV4(id, key, ""), Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *S3) waitUntilUp(t testing.TB, out *bytes.Buffer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		if r, err := http.Get("http://" + s.Host); err == nil {
			_ = r.Body.Close()
			return
		}
		select {
		case <-ctx.Done():
			t.Skipf("the storage does not start here: %s", out)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// addOnly lets the backup's user add, read and list, and set how long an added object
// is kept.
const addOnly = `{"Version":"2012-10-17","Statement":[
	{"Effect":"Allow","Principal":"` + userID + `","Action":["s3:ListBucket","s3:GetBucketObjectLockConfiguration"],"Resource":"arn:aws:s3:::%[1]s"},
	{"Effect":"Allow","Principal":"` + userID + `","Action":["s3:PutObject","s3:GetObject","s3:PutObjectRetention"],"Resource":"arn:aws:s3:::%[1]s/*"}]}`

// Bucket makes a bucket in which the backup's credential can only add.
func (s *S3) Bucket(t testing.TB, name string, locks bool) {
	t.Helper()
	if err := s.Root.MakeBucket(t.Context(), name, minio.MakeBucketOptions{ObjectLocking: locks}); err != nil {
		t.Fatal(err)
	}
	if err := s.Root.SetBucketPolicy(t.Context(), name, fmt.Sprintf(addOnly, name)); err != nil {
		t.Fatal(err)
	}
}
