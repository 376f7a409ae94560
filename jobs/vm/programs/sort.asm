; Sorts real numbers. Inputs: IEEE 754 singles, no NaN. Outputs: the same, ascending; -0 comes before 0.
; A single's bits, seen as a number, are in its order once the sign bit of a positive one, or every bit of a negative one,
; is turned over. The keys are sorted by insertion, in place, at KEYS.
        .equ    KEYS, 0x1000
        .equ    SIGN, 0x80000000
        LOADIMM r10, INPUT
        LOAD    r1, r10         ; n
        LOADIMM r2, 0           ; k: keys 0 .. k - 1 are in order
each:   EQ      r4, r2, r1
        JNZ     r4, write
        ADD     r5, r10, r2
        LOAD    r3, r5, 1       ; input k
        CALL    key
        ADD     r6, r2, 0       ; the place for it
shift:  JZ      r6, put
        LOAD    r7, r6, KEYS-1
        GT      r8, r7, r3
        JZ      r8, put
        STORE   r7, r6, KEYS
        SUB     r6, r6, 1
        JMP     shift
put:    STORE   r3, r6, KEYS
        ADD     r2, r2, 1
        JMP     each
write:  LOADIMM r11, OUTPUT
        STORE   r1, r11
        LOADIMM r2, 0
back:   EQ      r4, r2, r1
        JNZ     r4, done
        LOAD    r3, r2, KEYS
        CALL    single
        ADD     r5, r11, r2
        STORE   r3, r5, 1
        ADD     r2, r2, 1
        JMP     back
done:   HALT

key:    SHR     r9, r3, 31      ; r3: bits to key
        JNZ     r9, below
        XOR     r3, r3, SIGN
        RET
below:  NOT     r3, r3
        RET

single: SHR     r9, r3, 31      ; r3: key to bits
        JZ      r9, under
        XOR     r3, r3, SIGN
        RET
under:  NOT     r3, r3
        RET
