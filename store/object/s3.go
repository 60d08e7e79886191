package object

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"gatehouse"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// bucket is a target in S3. It uses PutObject with If-None-Match, GetObject and
// ListObjectsV2, and where an object is to be kept PutObjectRetention, or its header; so a
// credential that may do nothing else is enough.
type bucket struct {
	client *minio.Client
	name   string
	prefix string // "" or with a slash at its end
	shown  string
	locks  bool // the bucket has object lock
}

// location is a parsed address.
type location struct {
	host, bucket, prefix, access, region, secret string
	tls                                          bool
}

func parseS3(rest string) (location, error) {
	u, err := url.Parse("s3://" + rest)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return location{}, badName("this is no s3:// address")
	}
	q := u.Query()
	name, prefix, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	l := location{host: u.Host, bucket: name, prefix: prefix, access: q.Get("access"), region: q.Get("region"), secret: q.Get("secret"), tls: q.Get("tls") != "off"}
	for key := range q {
		if !strings.Contains(" access region secret tls ", " "+key+" ") {
			return location{}, badName("the s3:// address has an option that is not known")
		}
	}
	switch {
	case name == "" || prefix != "" && !objectName.MatchString(prefix):
		return location{}, badName("the s3:// address names no bucket, or a prefix of other characters than a-z, 0-9, dot, hyphen and slash")
	case l.access == "":
		return location{}, badName("the s3:// address names no access key (?access=KEY_ID)")
	case !l.tls && !loopback(u.Hostname()):
		return location{}, gatehouse.Errorf("backup.target_name", "leave tls=off out", "another machine is not talked to without TLS")
	}
	if l.prefix != "" {
		l.prefix += "/"
	}
	if l.secret == "" {
		l.secret = "s3"
	}
	return l, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func openS3(rest string, secrets gatehouse.Secrets) (*bucket, error) {
	l, err := parseS3(rest)
	if err != nil {
		return nil, err
	}
	secret, ok := secrets.Secret(l.secret)
	if !ok {
		return nil, gatehouse.Errorf("backup.secret", fmt.Sprintf("run `gatehouse secret set %s`, or on a bare machine set %s", l.secret, SecretVariable(l.secret)),
			"the secret key of the backup target is not known")
	}
	client, err := minio.New(l.host, &minio.Options{Creds: credentials.NewStaticV4(l.access, secret.Reveal(), ""), Secure: l.tls, Region: l.region, MaxRetries: 4})
	if err != nil {
		return nil, badName("the s3:// address cannot be used")
	}
	b := &bucket{client: client, name: l.bucket, prefix: l.prefix, shown: "s3://" + l.host + "/" + l.bucket + "/" + l.prefix}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	// Whoever may not ask is answered as by a bucket without locks; then it is the
	// bucket's default retention that counts.
	state, _, _, _, err := client.GetObjectLockConfig(ctx, b.name)
	b.locks = err == nil && state == "Enabled"
	return b, nil
}

// SecretVariable is the environment variable that gives a secret on a machine whose
// store is not there yet: GATEHOUSE_SECRET_S3 for "s3".
func SecretVariable(name string) string {
	return "GATEHOUSE_SECRET_" + strings.ToUpper(name)
}

// String is the address without its options.
func (b *bucket) String() string { return b.shown }

// Put implements gatehouse.ObjectTarget.
func (b *bucket) Put(ctx context.Context, name string, data []byte, keepUntil time.Time) error {
	if err := errors.Join(checkPut(name, data), ctx.Err()); err != nil {
		return err
	}
	o := minio.PutObjectOptions{ContentType: "application/octet-stream", DisableMultipart: true, SendContentMd5: true}
	o.SetMatchETagExcept("*")
	if b.locks && !keepUntil.IsZero() {
		o.Mode, o.RetainUntilDate = minio.Compliance, keepUntil.UTC().Truncate(time.Second)
	}
	otherwise := lied(name)
	_, err := b.client.PutObject(ctx, b.name, b.prefix+name, bytes.NewReader(data), int64(len(data)), o)
	if response := minio.ToErrorResponse(err); response.StatusCode == http.StatusPreconditionFailed || response.StatusCode == http.StatusConflict {
		otherwise, err = exists(name), nil
	}
	if err != nil {
		// An answer can be lost: a storage that knows the name already may hang up
		// before it has read the object.
		if got, again := b.Get(ctx, name); again == nil && sameAs(got, data) {
			return nil
		} else if again == nil {
			return exists(name)
		}
		return b.failed(ctx, err)
	}
	got, err := b.Get(ctx, name)
	if err != nil {
		return err
	}
	if !sameAs(got, data) {
		return otherwise
	}
	return nil
}

// Keep implements gatehouse.ObjectTarget: a lock in compliance mode, which nobody can
// shorten again.
func (b *bucket) Keep(ctx context.Context, name string, until time.Time) error {
	if err := errors.Join(checkPut(name, nil), ctx.Err()); err != nil || !b.locks {
		return err
	}
	mode, until := minio.Compliance, until.UTC().Truncate(time.Second)
	err := b.client.PutObjectRetention(ctx, b.name, b.prefix+name, minio.PutObjectRetentionOptions{Mode: &mode, RetainUntilDate: &until})
	if err != nil {
		return b.failed(ctx, err)
	}
	return nil
}

// Get implements gatehouse.ObjectTarget.
func (b *bucket) Get(ctx context.Context, name string) ([]byte, error) {
	if err := errors.Join(checkPut(name, nil), ctx.Err()); err != nil {
		return nil, err
	}
	object, err := b.client.GetObject(ctx, b.name, b.prefix+name, minio.GetObjectOptions{})
	if err != nil {
		return nil, b.failed(ctx, err)
	}
	defer object.Close()
	data, err := io.ReadAll(io.LimitReader(object, gatehouse.MaxObject+1))
	switch {
	case minio.ToErrorResponse(err).StatusCode == http.StatusNotFound:
		return nil, notFound(name)
	case err != nil:
		return nil, b.failed(ctx, err)
	case len(data) > gatehouse.MaxObject:
		return nil, gatehouse.Errorf("backup.damaged", "use another backup", "%s is no object of a backup", name)
	}
	return data, nil
}

// List implements gatehouse.ObjectTarget.
func (b *bucket) List(ctx context.Context, prefix string, f func(gatehouse.Object) error) error {
	for o := range b.client.ListObjectsIter(ctx, b.name, minio.ListObjectsOptions{Prefix: b.prefix + prefix, Recursive: true}) {
		if o.Err != nil {
			return b.failed(ctx, o.Err)
		}
		name := strings.TrimPrefix(o.Key, b.prefix)
		if !objectName.MatchString(name) {
			continue
		}
		if err := f(gatehouse.Object{Name: name, Size: o.Size}); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// failed gives an answer of S3 its code. Of its text only the code goes on: the rest
// may name keys of the request.
func (b *bucket) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	response := minio.ToErrorResponse(err)
	if response.StatusCode == 0 || response.Code == "" {
		return failed(err)
	}
	short := errors.New("the storage answered " + response.Code)
	switch {
	case response.StatusCode == http.StatusInsufficientStorage, response.Code == "QuotaExceeded", response.Code == "XMinioStorageFull":
		return full(short)
	case response.StatusCode == http.StatusForbidden, response.StatusCode == http.StatusUnauthorized:
		return denied(short)
	case response.StatusCode == http.StatusServiceUnavailable:
		return gatehouse.Errorf("backup.unreachable", "try again later; the next backup goes on where this one stopped", "the backup target cannot be reached: %w", short)
	}
	return failed(short)
}
