; How often a value differs from the one before it.
        LOADIMM r1, INPUT
        LOAD    r2, r1
        LOAD    r3, r1, 1       ; the value before
next:   JZ      r2, done
        LOAD    r5, r1, 1
        EQ      r6, r5, r3
        XOR     r6, r6, 1       ; map: 1 where it differs
        ADD     r4, r4, r6      ; reduce
        ADD     r3, r5, 0
        ADD     r1, r1, 1
        SUB     r2, r2, 1
        JMP     next
done:   LOADIMM r7, OUTPUT
        LOADIMM r8, 1
        STORE   r8, r7
        STORE   r4, r7, 1
        HALT
