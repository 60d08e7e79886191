package child

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
)

// A frame is one message on the socket, all numbers big-endian:
//
//	offset  size  what
//	0       4     length of everything behind these four bytes
//	4       1     kind (request, reply, failure, cancel)
//	5       8     request id, chosen by the caller, never reused on a socket
//	13      4     time left for the request in milliseconds, 0 for no limit
//	17      1     length m of the method
//	18      m     method
//	18+m    4     length h of the header
//	22+m    h     header, JSON
//	22+m+h  2     number of attachments
//	…       4+n   each attachment: its length, its bytes
//
// Attachments are raw, so that pictures of some megabytes are neither copied into
// JSON nor grown by a third through base64.
type frame struct {
	kind    frameKind
	id      uint64
	timeout uint32 // ms
	method  string
	header  []byte
	blobs   [][]byte
}

type frameKind byte

const (
	requestFrame frameKind = 1 + iota
	replyFrame
	failureFrame // header is a wireError
	cancelFrame  // the caller has gone; no answer is expected
)

// The limits of a frame. The other side may have been taken over by what it
// decodes, so nothing it says about a size is believed beyond these.
const (
	maxHeader  = 4 << 20
	maxBlobs   = 4096
	fixedBytes = 1 + 8 + 4 + 1 // kind, id, timeout, length of the method
)

var (
	errFrameTooLong   = errors.New("the frame is longer than the limit")
	errFrameMalformed = errors.New("the frame is malformed")
)

// size returns the length of the encoded frame without its first four bytes.
func (f *frame) size() int {
	n := fixedBytes + len(f.method) + 4 + len(f.header) + 2
	for _, b := range f.blobs {
		n += 4 + len(b)
	}
	return n
}

// writeFrame writes f in one vectored write; attachments are not copied.
func writeFrame(w io.Writer, f *frame, limit int) error {
	n := f.size()
	if n > limit || len(f.header) > maxHeader || len(f.blobs) > maxBlobs || len(f.method) > 255 {
		return errFrameTooLong
	}
	head := make([]byte, 0, 4+fixedBytes+len(f.method)+4+len(f.header)+2)
	head = binary.BigEndian.AppendUint32(head, uint32(n))
	head = append(head, byte(f.kind))
	head = binary.BigEndian.AppendUint64(head, f.id)
	head = binary.BigEndian.AppendUint32(head, f.timeout)
	head = append(head, byte(len(f.method)))
	head = append(head, f.method...)
	head = binary.BigEndian.AppendUint32(head, uint32(len(f.header)))
	head = append(head, f.header...)
	head = binary.BigEndian.AppendUint16(head, uint16(len(f.blobs)))

	parts := make(net.Buffers, 0, 1+2*len(f.blobs))
	parts = append(parts, head)
	for _, b := range f.blobs {
		parts = append(parts, binary.BigEndian.AppendUint32(nil, uint32(len(b))), b)
	}
	if _, vectored := w.(*net.UnixConn); vectored {
		_, err := parts.WriteTo(w)
		return err
	}
	// TLS would make a record of every part.
	b := bufio.NewWriterSize(w, 16<<10)
	if _, err := parts.WriteTo(b); err != nil {
		return err
	}
	return b.Flush()
}

// readFrame reads one frame. io.EOF means that the other side closed between two
// frames; everything else that is wrong is an error of its own.
func readFrame(r io.Reader, limit int) (*frame, error) {
	n, err := readLength(r, limit)
	if err != nil {
		return nil, err
	}
	body, err := readBody(r, n)
	if err != nil {
		return nil, err
	}
	return parseFrame(body)
}

// readLength reads the length of what follows. io.EOF is readFrame's.
func readLength(r io.Reader, limit int) (int, error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return 0, err // io.EOF only where nothing was read
	}
	n := binary.BigEndian.Uint32(length[:])
	if uint64(n) > uint64(limit) {
		return 0, errFrameTooLong
	}
	return int(n), nil
}

// readBody grows its buffer with what really arrives, so that a length alone
// allocates at most a megabyte.
func readBody(r io.Reader, n int) ([]byte, error) {
	const step = 1 << 20
	body := make([]byte, 0, min(n, step))
	for len(body) < n {
		if len(body) == cap(body) {
			grown := make([]byte, len(body), min(n, 2*cap(body)))
			copy(grown, body)
			body = grown
		}
		part := body[len(body):cap(body)]
		if _, err := io.ReadFull(r, part); err != nil {
			return nil, io.ErrUnexpectedEOF
		}
		body = body[:cap(body)]
	}
	return body, nil
}

// parseFrame decodes what follows the length. The frame's slices point into b.
func parseFrame(b []byte) (*frame, error) {
	if len(b) < fixedBytes {
		return nil, errFrameMalformed
	}
	f := &frame{kind: frameKind(b[0]), id: binary.BigEndian.Uint64(b[1:]), timeout: binary.BigEndian.Uint32(b[9:])}
	if f.kind < requestFrame || f.kind > cancelFrame {
		return nil, errFrameMalformed
	}
	m := int(b[13])
	b = b[fixedBytes:]
	if len(b) < m+4 {
		return nil, errFrameMalformed
	}
	f.method, b = string(b[:m]), b[m:]
	h := binary.BigEndian.Uint32(b)
	b = b[4:]
	if h > maxHeader || uint64(len(b)) < uint64(h)+2 {
		return nil, errFrameMalformed
	}
	f.header, b = b[:h:h], b[h:]
	count := int(binary.BigEndian.Uint16(b))
	b = b[2:]
	if count > maxBlobs || len(b) < 4*count {
		return nil, errFrameMalformed
	}
	if count > 0 {
		f.blobs = make([][]byte, count)
	}
	for i := range f.blobs {
		if len(b) < 4 {
			return nil, errFrameMalformed
		}
		n := binary.BigEndian.Uint32(b)
		b = b[4:]
		if uint64(len(b)) < uint64(n) {
			return nil, errFrameMalformed
		}
		f.blobs[i], b = b[:n:n], b[n:]
	}
	if len(b) != 0 {
		return nil, errFrameMalformed
	}
	return f, nil
}
