; The n-th Fibonacci number modulo 2^32. Input: n. Output: F(n), with F(0) = 0 and F(1) = 1.
        LOADIMM r10, INPUT
        LOAD    r1, r10, 1      ; n
        LOADIMM r2, 0           ; F(k)
        LOADIMM r3, 1           ; F(k + 1)
next:   JZ      r1, done
        ADD     r4, r2, r3
        ADD     r2, r3, 0
        ADD     r3, r4, 0
        SUB     r1, r1, 1
        JMP     next
done:   LOADIMM r11, OUTPUT
        LOADIMM r5, 1
        STORE   r5, r11         ; one output
        STORE   r2, r11, 1
        HALT
