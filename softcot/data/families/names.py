"""What people are called in the problems: names that models are trained with, and others.

Nobody is trained with the names that the test on reworded problems has.
"""

from __future__ import annotations

WOMEN = tuple(
    (
        "Ana Cara Eve Gia Iris Kate Mia Olga Rosa Tara Uma Vera Wendy Zoe Nina Lena Anna Maria "
        "Emma Olivia Sophia Isabella Charlotte Amelia Harper Evelyn Abigail Emily Ella "
        "Elizabeth Camila Luna Sofia Avery Mila Aria Scarlett Penelope Layla Chloe Victoria "
        "Madison Eleanor Grace Nora Riley Hannah Lily Addison Aubrey Ellie Stella Natalie Leah "
        "Hazel Violet Aurora Savannah Audrey Brooklyn Bella Claire Skylar Lucy Paisley Caroline "
        "Genesis Emilia Kennedy Samantha Maya Willow Kinsley Naomi Aaliyah Elena Sarah Ariana "
        "Allison Gabriella Alice Madelyn Cora Ruby Eva Serenity Autumn Adeline Hailey Gianna "
        "Valentina Isla Eliana Quinn Nevaeh Ivy Sadie Piper Lydia Alexa Josephine Emery Julia "
        "Delilah Arianna Vivian Kaylee Sophie Brielle Madeline Peyton Rylee Clara Hadley "
        "Melanie Mackenzie Reagan Adalynn Liliana Jade Isabelle Katherine Natalia Raelynn "
        "Athena Ximena Arya Leilani Taylor Faith Rose Kylie Alexandra Mary Margaret Lyla Ashley "
        "Amaya Eliza Brianna Bailey Andrea Khloe Jasmine Melody Norah Annabelle Valeria Emerson "
        "Adalyn Ryleigh Eden Emersyn Anastasia Kayla Alyssa Juliana Charlie Esther Ariel "
        "Cecilia Valerie Alina Molly Reese Aliyah Lilly Parker Finley Morgan Sydney Jordyn "
        "Eloise Trinity Daisy Kimberly Lauren Genevieve Sara Arabella Harmony Elise Remi Teagan "
        "Lara Ling Mei Yuki Aisha Fatima Leila Zainab Priya Anjali Ingrid Astrid Helga Greta "
        "Heidi Paula Petra Monika Svetlana Tatiana Irina"
    ).split()
)
MEN = tuple(
    (
        "Ben Dan Finn Hugo Jack Liam Noah Pete Sam Tom Umar Victor Will Yusuf Omar Peter John "
        "James Robert Michael William David Richard Joseph Thomas Charles Daniel Matthew "
        "Anthony Mark Donald Steven Paul Andrew Joshua Kenneth Kevin Brian George Timothy "
        "Ronald Edward Jason Jeffrey Ryan Jacob Gary Nicholas Eric Jonathan Stephen Larry "
        "Justin Scott Brandon Benjamin Samuel Gregory Alexander Frank Patrick Raymond Dennis "
        "Jerry Tyler Aaron Jose Adam Nathan Henry Zachary Douglas Kyle Noel Ethan Jeremy Walter "
        "Christian Keith Roger Terry Austin Sean Gerald Carl Harold Dylan Arthur Lawrence "
        "Jordan Jesse Bryan Billy Bruce Gabriel Joe Logan Alan Juan Albert Willie Elijah Wayne "
        "Randy Vincent Mason Roy Ralph Bobby Russell Bradley Philip Eugene Lucas Oliver Aiden "
        "Jackson Sebastian Carter Owen Wyatt Luke Grayson Isaac Levi Julian Mateo Lincoln Jaxon "
        "Ezra Hudson Leo Maverick Asher Elias Josiah Caleb Cooper Easton Miles Nolan Landon "
        "Cameron Adrian Colton Jaxson Ian Axel Everett Waylon Declan Weston Silas Micah Bennett "
        "Diego Damian Harrison Rowan Ryder Braxton Roman Kai Beau Gavin Jayden Emmett Ivan "
        "Camden Max Jonah Luca Kaiden Giovanni Malachi Ashton Theo Felix Otto Emil Anton Klaus "
        "Jürgen Pierre Marcel Hassan Ali Ahmed Karim Tariq Raj Arjun Vikram Chen Wei Hiro Kenji "
        "Akira Dmitri Sergei Boris Igor Pavel Milan Marek"
    ).split()
)
WOMEN_OF_TESTS = tuple(
    (
        "Beatrice Dolores Fiona Gwen Henrietta Imogen Jocelyn Kiara Lorraine Mabel Nadia "
        "Ophelia Philippa Ramona Sabrina Thelma Ursula Verity Winona Yolanda Zelda Agnes "
        "Bettina Constance Daphne"
    ).split()
)
MEN_OF_TESTS = tuple(
    (
        "Alistair Barnaby Clifford Desmond Edgar Fabian Gilbert Horace Ignatius Jasper Kendrick "
        "Leopold Mortimer Nigel Orlando Percival Quentin Reginald Stanley Thaddeus Ulrich "
        "Vernon Wilbur Xavier Yannick"
    ).split()
)
