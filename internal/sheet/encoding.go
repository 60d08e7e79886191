package sheet

import (
	"bytes"
	"unicode/utf8"

	"gatehouse"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// Encodings are those that can be named.
var Encodings = []string{"auto", "utf-8", "utf-16", "gb18030", "windows-1252"}

// decode gives a file's text as UTF-8, without a byte order mark, and how it was read.
func decode(file []byte, name string) (text []byte, as string, err error) {
	if name == "" || name == "auto" {
		if name = guess(file); name == "" {
			return nil, "", gatehouse.Errorf("sheet.encoding", "save it as CSV UTF-8, or say which it is: "+"gb18030 (Chinese) or windows-1252 (Western European)",
				"the file is not UTF-8, and nothing shows for certain what it is")
		}
	}
	var from encoding.Encoding
	switch name {
	case "utf-8":
		text = bytes.TrimPrefix(file, []byte("\xEF\xBB\xBF"))
		if !utf8.Valid(text) {
			return nil, "", wrongEncoding(name)
		}
		return text, name, nil
	case "utf-16":
		order := unicode.LittleEndian
		if bytes.HasPrefix(file, []byte{0xFE, 0xFF}) || len(file) > 1 && file[0] == 0 && file[1] != 0 {
			order = unicode.BigEndian
		}
		from = unicode.UTF16(order, unicode.UseBOM)
		if len(file)%2 != 0 {
			return nil, "", wrongEncoding(name)
		}
	case "gb18030", "gbk", "gb2312":
		name, from = "gb18030", simplifiedchinese.GB18030
	case "windows-1252":
		from = charmap.Windows1252
	default:
		return nil, "", gatehouse.Errorf("sheet.encoding", "use auto, utf-8, utf-16, gb18030 or windows-1252", "there is no such encoding")
	}
	text, err = from.NewDecoder().Bytes(file)
	text = bytes.TrimPrefix(text, []byte("\xEF\xBB\xBF"))
	if err != nil || bytes.ContainsRune(text, utf8.RuneError) {
		return nil, "", wrongEncoding(name)
	}
	return text, name, nil
}

func wrongEncoding(name string) error {
	return gatehouse.Errorf("sheet.encoding", "save it as CSV UTF-8, or name another encoding", "the file is not %s throughout", name)
}

// guess says which encoding the bytes are of; "" where two could be. A wrong guess would
// store wrong names, so it takes one only where the text shows it.
func guess(file []byte) string {
	switch {
	case bytes.HasPrefix(file, []byte{0xFF, 0xFE}), bytes.HasPrefix(file, []byte{0xFE, 0xFF}):
		return "utf-16"
	case utf8.Valid(file) && bytes.IndexByte(file, 0) < 0:
		return "utf-8"
	case zeros(file) > len(file)/4:
		return "utf-16"
	}
	// Chinese text is nearly all of GB2312, whose two bytes are both above 0xA0. In Western
	// European text a letter above 0x7F stands beside ASCII.
	common, other := 0, 0
	for i := 0; i < len(file); i++ {
		if file[i] < 0x80 {
			continue
		}
		if i+1 < len(file) && file[i] >= 0xA1 && file[i+1] >= 0xA1 {
			common++
			i++
			continue
		}
		other++
		if i+1 < len(file) && file[i+1] >= 0x40 {
			i++
		}
	}
	if common > 0 && other <= common/8 {
		return "gb18030"
	}
	return ""
}

func zeros(file []byte) int {
	return bytes.Count(file[:min(len(file), 4096)], []byte{0}) * max(1, len(file)) / max(1, min(len(file), 4096))
}
