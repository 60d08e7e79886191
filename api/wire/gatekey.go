package wire

// GateKeyRotation says how far the replacement of the gate key is.
// POST /admin/v1/keys/gate/rotate, which begins one, or goes on with it, and answers
// within about a second; it is asked again until Finished.
type GateKeyRotation struct {
	Stage    string `json:"stage"` // files, items, finished
	Done     int    `json:"done"`  // of All, in this stage
	All      int    `json:"all"`
	Resumed  bool   `json:"resumed"`
	Finished bool   `json:"finished"`
}
