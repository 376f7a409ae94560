; SHA-256-like mixing: the compression function of FIPS 180-4 on one block, from its initial state. Inputs: the 16 words
; of the block. Outputs: the 8 words of the state. On a padded message below 56 bytes this is its SHA-256.
; r20 .. r27 are a .. h; rotations are two shifts and an OR.
        .equ    W, 0x1000
        LOADIMM r10, INPUT
        LOADIMM r1, 0
copy:   ADD     r2, r10, r1     ; W[0 .. 15] = the block
        LOAD    r3, r2, 1
        STORE   r3, r1, W
        ADD     r1, r1, 1
        EQ      r4, r1, 16
        JZ      r4, copy

expand: LOAD    r2, r1, W-15    ; W[t] = s1(W[t-2]) + W[t-7] + s0(W[t-15]) + W[t-16]
        SHR     r9, r2, 7
        SHL     r8, r2, 25
        OR      r3, r9, r8
        SHR     r9, r2, 18
        SHL     r8, r2, 14
        OR      r4, r9, r8
        XOR     r3, r3, r4
        SHR     r4, r2, 3
        XOR     r3, r3, r4
        LOAD    r2, r1, W-2
        SHR     r9, r2, 17
        SHL     r8, r2, 15
        OR      r5, r9, r8
        SHR     r9, r2, 19
        SHL     r8, r2, 13
        OR      r4, r9, r8
        XOR     r5, r5, r4
        SHR     r4, r2, 10
        XOR     r5, r5, r4
        ADD     r3, r3, r5
        LOAD    r2, r1, W-7
        ADD     r3, r3, r2
        LOAD    r2, r1, W-16
        ADD     r3, r3, r2
        STORE   r3, r1, W
        ADD     r1, r1, 1
        EQ      r4, r1, 64
        JZ      r4, expand

        LOADIMM r1, 0
        LOAD    r20, r1, state+0
        LOAD    r21, r1, state+1
        LOAD    r22, r1, state+2
        LOAD    r23, r1, state+3
        LOAD    r24, r1, state+4
        LOAD    r25, r1, state+5
        LOAD    r26, r1, state+6
        LOAD    r27, r1, state+7

round:  ; t1 = h + S1(e) + ch(e, f, g) + K[t] + W[t], in r5
        SHR     r9, r24, 6
        SHL     r8, r24, 26
        OR      r3, r9, r8
        SHR     r9, r24, 11
        SHL     r8, r24, 21
        OR      r4, r9, r8
        XOR     r3, r3, r4
        SHR     r9, r24, 25
        SHL     r8, r24, 7
        OR      r4, r9, r8
        XOR     r3, r3, r4
        AND     r4, r24, r25
        NOT     r5, r24
        AND     r5, r5, r26
        XOR     r4, r4, r5
        ADD     r5, r27, r3
        ADD     r5, r5, r4
        LOAD    r3, r1, constants
        ADD     r5, r5, r3
        LOAD    r3, r1, W
        ADD     r5, r5, r3
        ; t2 = S0(a) + maj(a, b, c), in r3
        SHR     r9, r20, 2
        SHL     r8, r20, 30
        OR      r3, r9, r8
        SHR     r9, r20, 13
        SHL     r8, r20, 19
        OR      r4, r9, r8
        XOR     r3, r3, r4
        SHR     r9, r20, 22
        SHL     r8, r20, 10
        OR      r4, r9, r8
        XOR     r3, r3, r4
        AND     r4, r20, r21
        AND     r6, r20, r22
        XOR     r4, r4, r6
        AND     r6, r21, r22
        XOR     r4, r4, r6
        ADD     r3, r3, r4
        ADD     r27, r26, 0
        ADD     r26, r25, 0
        ADD     r25, r24, 0
        ADD     r24, r23, r5
        ADD     r23, r22, 0
        ADD     r22, r21, 0
        ADD     r21, r20, 0
        ADD     r20, r5, r3
        ADD     r1, r1, 1
        EQ      r4, r1, 64
        JZ      r4, round

        LOADIMM r11, OUTPUT
        LOADIMM r1, 8
        STORE   r1, r11
        LOADIMM r1, 0
        LOAD    r2, r1, state+0
        ADD     r2, r2, r20
        STORE   r2, r11, 1
        LOAD    r2, r1, state+1
        ADD     r2, r2, r21
        STORE   r2, r11, 2
        LOAD    r2, r1, state+2
        ADD     r2, r2, r22
        STORE   r2, r11, 3
        LOAD    r2, r1, state+3
        ADD     r2, r2, r23
        STORE   r2, r11, 4
        LOAD    r2, r1, state+4
        ADD     r2, r2, r24
        STORE   r2, r11, 5
        LOAD    r2, r1, state+5
        ADD     r2, r2, r25
        STORE   r2, r11, 6
        LOAD    r2, r1, state+6
        ADD     r2, r2, r26
        STORE   r2, r11, 7
        LOAD    r2, r1, state+7
        ADD     r2, r2, r27
        STORE   r2, r11, 8
        HALT

state:     .word 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19
constants: .word 0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5
           .word 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174
           .word 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da
           .word 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967
           .word 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85
           .word 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070
           .word 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3
           .word 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
