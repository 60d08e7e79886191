//go:build amd64 && !purego

#include "textflag.h"

// func dotRowsAVX2(query *int16, rows *int8, n, dims int, out *int32)
TEXT ·dotRowsAVX2(SB), NOSPLIT, $0-40
	MOVQ query+0(FP), SI
	MOVQ rows+8(FP), DI
	MOVQ n+16(FP), CX
	MOVQ dims+24(FP), DX
	MOVQ out+32(FP), R8

row:
	TESTQ CX, CX
	JLE   done
	MOVQ  SI, R9
	MOVQ  DX, R10
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1

part:
	VPMOVSXBW (DI), Y2
	VPMOVSXBW 16(DI), Y3
	VPMADDWD  (R9), Y2, Y2
	VPMADDWD  32(R9), Y3, Y3
	VPADDD    Y2, Y0, Y0
	VPADDD    Y3, Y1, Y1
	ADDQ      $32, DI
	ADDQ      $64, R9
	SUBQ      $32, R10
	JG        part

	VPADDD       Y1, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPADDD       X1, X0, X0
	VPSHUFD      $0x4E, X0, X1
	VPADDD       X1, X0, X0
	VPSHUFD      $0xB1, X0, X1
	VPADDD       X1, X0, X0
	VMOVD        X0, (R8)
	ADDQ         $4, R8
	DECQ         CX
	JMP          row

done:
	VZEROUPPER
	RET
