package stream

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"time"

	"gatehouse"
)

// frame is one picture from ffmpeg.
type frame struct {
	w, h int
	at   time.Duration // position in the stream
	pix  []byte
}

// info is what showinfo says of a frame.
type info struct {
	w, h int
	at   time.Duration
}

// parseInfo reads a line of ffmpeg's showinfo filter, ok false for any other line:
//
//	[Parsed_showinfo_3 @ 0x5581] [info] n:   0 pts:      0 pts_time:0.04  … s:640x360 …
func parseInfo(line []byte) (i info, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte("[Parsed_showinfo_"))
	if !ok || !bytes.Contains(rest, []byte("] n:")) {
		return info{}, false
	}
	sec, err := strconv.ParseFloat(string(field(rest, " pts_time:")), 64)
	if err != nil || !(sec > -1e9 && sec < 1e9) {
		sec = 0 // a frame without a time is taken at the last position
	}
	w, h, ok := bytes.Cut(field(rest, " s:"), []byte("x"))
	if !ok {
		return info{}, false
	}
	i.at = max(time.Duration(sec*1e9), 0)
	if i.w, err = strconv.Atoi(string(w)); err != nil {
		return info{}, false
	}
	if i.h, err = strconv.Atoi(string(h)); err != nil {
		return info{}, false
	}
	return i, true
}

// field is the word behind key, without leading spaces.
func field(line []byte, key string) []byte {
	_, v, ok := bytes.Cut(line, []byte(key))
	if !ok {
		return nil
	}
	v = bytes.TrimLeft(v, " ")
	if n := bytes.IndexByte(v, ' '); n >= 0 {
		v = v[:n]
	}
	return v
}

// errMisaligned means that ffmpeg's two outputs do not fit together. It is also
// what a version of ffmpeg that cannot change size within a run ends in.
func errMisaligned() error {
	return gatehouse.Errorf("source.failed", "use ffmpeg 5.1 or newer", "ffmpeg's output cannot be followed")
}

// maxHeader bounds one header line of the multipart stream.
const maxHeader = 256

// readLength reads up to the next part of ffmpeg's mpjpeg stream and returns how
// many bytes its body has; io.EOF at the end.
//
//	\r\n--ffmpeg\r\nContent-type: image/jpeg\r\nContent-length: 345600\r\n\r\n<bytes>
func readLength(r *bufio.Reader) (int, error) {
	n, boundary := -1, false
	for range 8 {
		line, err := r.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF) && !boundary:
			return 0, io.EOF
		case errors.Is(err, io.EOF):
			return 0, io.ErrUnexpectedEOF
		case err != nil || len(line) > maxHeader:
			return 0, errMisaligned()
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case bytes.HasPrefix(line, []byte("--")):
			boundary = true
		case !boundary && len(line) > 0:
			return 0, errMisaligned()
		case boundary && len(line) == 0:
			if n < 0 || n > maxPixels*3/2 {
				return 0, errMisaligned()
			}
			return n, nil
		case boundary:
			name, value, _ := bytes.Cut(line, []byte(":"))
			if bytes.EqualFold(name, []byte("Content-length")) {
				if n, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
					return 0, errMisaligned()
				}
			}
		}
	}
	return 0, errMisaligned()
}

// readFrame reads the next frame: its length from r, its size and time from infos
// (in the same order), its bytes into what buffer gives. io.EOF at the end; a
// frame cut short is io.ErrUnexpectedEOF.
func readFrame(r *bufio.Reader, infos <-chan info, buffer func(int) []byte) (frame, error) {
	n, err := readLength(r)
	if err != nil {
		return frame{}, err
	}
	i, ok := <-infos
	if !ok {
		return frame{}, io.ErrUnexpectedEOF
	}
	switch {
	case i.w < 2 || i.h < 2 || i.w > maxPixels/i.h:
		return frame{}, gatehouse.Errorf("source.too_big", "use a video of at most 64 megapixels", "the video's frames are too big or too small")
	case i.w%2 != 0 || i.h%2 != 0 || n != i.w*i.h*3/2:
		return frame{}, errMisaligned()
	}
	pix := buffer(n)
	if _, err := io.ReadFull(r, pix); err != nil {
		return frame{}, io.ErrUnexpectedEOF
	}
	return frame{w: i.w, h: i.h, at: i.at, pix: pix}, nil
}
