package gatehouse

import "strings"

// TicketLength is how long a ticket's code is: characters of base32, so 60 bits.
const TicketLength = 12

// TicketCode gives the code of a ticket as it is kept, of what was typed or read from its
// picture: capital letters and 2 to 7. People type 0 for O, 1 for I and 8 for B, and
// separators; a ticket's QR code holds the address of the page that it is paid on, with the
// code behind #t=. What is no ticket at all gives a text that no ticket has.
func TicketCode(shown string) string {
	if _, code, ok := strings.Cut(shown, "#t="); ok {
		shown = code
	}
	if len(shown) > 256 {
		return "-"
	}
	code := strings.Map(func(r rune) rune {
		switch {
		case r == '0':
			return 'O'
		case r == '1':
			return 'I'
		case r == '8':
			return 'B'
		case r >= 'A' && r <= 'Z', r >= '2' && r <= '7':
			return r
		case r == ' ', r == '-':
			return -1
		}
		return '-'
	}, strings.ToUpper(shown))
	if code == "" {
		return "-"
	}
	return code
}

// TicketText writes a code in groups of four, as it is shown.
func TicketText(code string) string {
	var b strings.Builder
	for i, r := range code {
		if i > 0 && i%4 == 0 {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return b.String()
}
